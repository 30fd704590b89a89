const OPEN = "<think>";
const CLOSE = "</think>";

/** Text in pieces, and the pieces that may be passed on. */
export interface TextFilter {
  write(text: string): string;
  /** What was still held back. Call it once, at the end of the text. */
  end(): string;
}

/** Drops the `<think>…</think>` that some models begin an answer with. Anywhere else such tags are part of the answer. */
export function createThinkFilter(): TextFilter {
  let place: "start" | "thinking" | "after" | "answer" = "start";
  let held = "";

  function leaveStart(): void {
    const start = held.trimStart();
    if (start.startsWith(OPEN)) {
      held = start.slice(OPEN.length);
      place = "thinking";
    } else if (!OPEN.startsWith(start)) place = "answer";
  }

  function leaveThinking(): void {
    const end = held.indexOf(CLOSE);
    if (end >= 0) place = "after";
    held = end >= 0 ? held.slice(end + CLOSE.length) : held.slice(-CLOSE.length);
  }

  /** The blank lines between the thoughts and the answer belong to neither. */
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
