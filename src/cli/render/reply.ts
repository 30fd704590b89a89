import { createSanitiser } from "../../sanitise.js";
import type { TextRenderer } from "./run-view.js";

/** A reply as it is, but safe for a terminal: for pipes and files. */
export const plainReply = (): TextRenderer => createSanitiser();
