import { join } from "node:path";
import { InputFiles } from "./input-files.js";

/** What users have typed at the prompt, as it is kept in a home folder; without one, nothing is. */
export function typedInputIn(home: string): InputFiles;
export function typedInputIn(home: string | undefined): InputFiles | undefined;
export function typedInputIn(home: string | undefined): InputFiles | undefined {
  return home === undefined ? undefined : new InputFiles(join(home, "input"));
}
