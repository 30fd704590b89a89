import { createSanitiser } from "../../sanitise.js";
import type { TextView } from "./run-view.js";

/** Turns one text of a reply into output. */
export interface TextRenderer {
  write(chunk: string): string;
  /** Returns the rest of the output. No other call may follow. */
  end(): string;
}

/** A reply as written, made safe for a terminal. */
export const plainReply = (): TextRenderer => createSanitiser();

/** Writes each part of a text as it arrives. */
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
