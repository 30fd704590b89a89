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
  let place: "start" | "thinking" | "after" | "answer" = "start";
  let held = "";
  let closing = /(?!)/;

  function leaveStart(): void {
    const opening = openingOf(held);
    if (opening === "maybe") return;
    place = opening === "none" ? "answer" : "thinking";
    if (opening === "none") return;
    held = held.slice(opening.end);
    closing = opening.closing;
  }

  function leaveThinking(): void {
    const end = closing.exec(held);
    if (end) place = "after";
    held = end ? held.slice(end.index + end[0].length) : held.slice(-LONGEST_TAG);
  }

  /** Skips the blank lines between the thoughts and the answer. */
  function leaveAfter(): void {
    held = held.trimStart();
    if (held !== "") place = "answer";
  }

  function release(from: typeof place): string {
    const text = place === from ? held : "";
    if (place === from) held = "";
    return text;
  }

  return {
    write(text) {
      held += text;
      if (place === "start") leaveStart();
      if (place === "thinking") leaveThinking();
      if (place === "after") leaveAfter();
      return release("answer");
    },
    end: () => release("start"),
  };
}
