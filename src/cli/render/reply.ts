import { createSanitiser } from "../../sanitise.js";
import type { TextView } from "./run-view.js";

/** Turns one text of a reply into what is written. */
export interface TextRenderer {
  write(chunk: string): string;
  /** What was held back. Nothing comes after it. */
  end(): string;
}

/** A reply as it is, but safe for a terminal: for pipes and files. */
export const plainReply = (): TextRenderer => createSanitiser();

/** Writes a text on and on, each part as it comes. */
export function streamedText(renderer: TextRenderer, write: (text: string) => void): TextView {
  let lineIsOpen = false;
  function put(text: string): void {
    if (text === "") return;
    write(text);
    lineIsOpen = !text.endsWith("\n");
  }
  return {
    add: (delta) => put(renderer.write(delta)),
    end() {
      put(renderer.end());
      if (lineIsOpen) put("\n");
    },
  };
}
