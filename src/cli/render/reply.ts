import { createSanitiser } from "../../sanitise.js";
import type { TextRenderer } from "./run-view.js";

/** A reply as it is, but safe for a terminal: for pipes and files. */
export function plainReply(): TextRenderer {
  let sanitiser = createSanitiser();
  return {
    write: (chunk) => sanitiser.write(chunk),
    end() {
      const rest = sanitiser.end();
      sanitiser = createSanitiser();
      return rest;
    },
  };
}
