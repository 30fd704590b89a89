import { PassThrough } from "node:stream";
import type { Io } from "../io.js";
import type { Key } from "./key-names.js";
import { KeyDecoder } from "./keys.js";
import { type Terminal, TerminalModes } from "./modes.js";

/** Where a question is asked. */
export interface Place extends Pick<Io, "stdin" | "stderr"> {
  /** Takes the question back. */
  readonly signal?: AbortSignal;
}

/** What Inquirer asks a question with. */
export interface QuestionContext {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

/** What readline knows these keys by. Not Tab: it makes Inquirer search for a choice's description. */
const SENT: Readonly<Record<string, string>> = {
  return: "\r",
  enter: "\r",
  backspace: "\x7f",
  up: "\x1b[A",
  down: "\x1b[B",
  right: "\x1b[C",
  left: "\x1b[D",
  home: "\x1b[H",
  end: "\x1b[F",
  delete: "\x1b[3~",
};

/** Keys that leave a question without an answer. */
const LEAVING: ReadonlySet<string> = new Set(["escape", "ctrl-c", "ctrl-d"]);

/**
 * Asks one question on the terminal; undefined when it was left by Esc, Ctrl-C or Ctrl-D, or taken back. What is typed
 * after that stays unread, for whoever reads the terminal next.
 */
export async function asked<T>(
  place: Place,
  question: (context: QuestionContext) => Promise<T>,
): Promise<T | undefined> {
  if (place.signal?.aborted) return undefined;
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  place.signal?.addEventListener("abort", leave, { once: true });
  const { input, close } = keysOf(place, leave);
  try {
    return await question({ input, output: place.stderr, signal: leaving.signal });
  } catch (thrown) {
    if (thrown instanceof Error && /^(Exit|Abort)PromptError$/.test(thrown.name)) return undefined;
    throw thrown;
  } finally {
    place.signal?.removeEventListener("abort", leave);
    close();
  }
}

/** Inquirer gets keys and text, and nothing else a terminal sends; nor does it have to live through the terminal's end. */
function keysOf({ stdin, stderr }: Place, leave: () => void) {
  const input = new PassThrough();
  const modes = new TerminalModes({ input: stdin, output: stderr } as Terminal);
  const decoder = new KeyDecoder({
    key: (key) => {
      if (LEAVING.has(key.name)) end();
      else input.write(sentBy(key));
    },
    paste: (text) => void input.write(text.replace(/[\r\n]+$/, "").replace(/\p{Cc}+/gu, " ")),
    idle: () => {},
  });
  const onData = (chunk: Buffer): void => decoder.write(chunk);
  const close = (): void => {
    stdin.off("data", onData).off("end", end).pause();
    modes.leave();
  };
  const end = (): void => {
    close();
    leave();
  };
  stdin.off("error", ignore).on("error", ignore).once("error", end);
  stdin.on("data", onData).on("end", end).resume();
  modes.enter();
  return { input, close };
}

/** Heard for good: a terminal that is gone says so once more when it is let go. */
const ignore = (): void => {};

function sentBy({ name, text }: Key): string {
  if (text !== "") return text;
  const [, letter] = /^ctrl-([a-z])$/.exec(name) ?? [];
  return letter === undefined
    ? (SENT[name] ?? "")
    : String.fromCharCode(letter.charCodeAt(0) & 0x1f);
}
