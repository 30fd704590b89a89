import { join } from "node:path";
import { InputFiles } from "./input-files.js";

/** What users have typed at the prompt, as it is kept in a home folder. */
export const typedInputIn = (home: string): InputFiles => new InputFiles(join(home, "input"));
