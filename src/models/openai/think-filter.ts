import { LONGEST_TAG, openingOf } from "../think-tags.js";

/** Takes text in pieces and returns the pieces to pass on. */
export interface TextFilter {
  write(text: string): string;
  /** Returns what was still held back. Call it once, at the end of the text. */
  end(): string;
}

/**
 * Drops the tagged thoughts at the start of an answer. Tags anywhere else are part of the answer.
 */
export function createThinkFilter(): TextFilter {
  let state: "start" | "thinking" | "after" | "answer" = "start";
  let held = "";
  let closing = /(?!)/;

  function leaveStart(): void {
    const opening = openingOf(held);
    if (opening === "maybe") return;
    state = opening === "none" ? "answer" : "thinking";
    if (opening === "none") return;
    held = held.slice(opening.end);
    closing = opening.closing;
  }

  function leaveThinking(): void {
    const end = closing.exec(held);
    if (end) state = "after";
    held = end ? held.slice(end.index + end[0].length) : held.slice(-LONGEST_TAG);
  }

  /** Skips the blank lines between the thoughts and the answer. */
  function leaveAfter(): void {
    held = held.trimStart();
    if (held !== "") state = "answer";
  }

  function release(from: typeof state): string {
    const text = state === from ? held : "";
    if (state === from) held = "";
    return text;
  }

  return {
    write(text) {
      held += text;
      if (state === "start") leaveStart();
      if (state === "thinking") leaveThinking();
      if (state === "after") leaveAfter();
      return release("answer");
    },
    end: () => release("start"),
  };
}
