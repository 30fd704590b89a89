import { PassThrough } from "node:stream";
import { onAbort } from "../../abort.js";
import type { Io } from "../io.js";
import type { Key } from "./key-names.js";
import { KeyDecoder } from "./keys.js";
import { TerminalModes, type TerminalStreams } from "./modes.js";

/** The streams of a question. */
export interface PromptIo extends Pick<Io, "stdin" | "stderr"> {
  /** Withdraws the question. */
  readonly signal?: AbortSignal;
}

/** The context argument of an Inquirer prompt. */
export interface QuestionContext {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

/** The bytes readline expects for these keys. Tab is left out: Inquirer would complete a choice. */
const READLINE_BYTES: Readonly<Record<string, string>> = {
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

/** Keys that cancel a question. */
const CANCEL_KEYS: ReadonlySet<string> = new Set(["escape", "ctrl-c", "ctrl-d"]);

/**
 * Asks one question on the terminal; undefined after Esc, Ctrl-C, Ctrl-D or when it is withdrawn.
 * Input after that stays unread for the terminal's next reader.
 */
export async function askQuestion<T>(
  io: PromptIo,
  question: (context: QuestionContext) => Promise<T>,
): Promise<T | undefined> {
  if (io.signal?.aborted) return undefined;
  const cancelling = new AbortController();
  const cancel = (): void => cancelling.abort();
  const forget = io.signal && onAbort(io.signal, cancel);
  const { input, close } = openKeyStream(io, cancel);
  try {
    return await question({ input, output: io.stderr, signal: cancelling.signal });
  } catch (thrown) {
    if (thrown instanceof Error && /^(Exit|Abort)PromptError$/.test(thrown.name)) return undefined;
    throw thrown;
  } finally {
    forget?.();
    close();
  }
}

/** Passes on keys and text alone: Inquirer would not survive other sequences or a lost terminal. */
function openKeyStream({ stdin, stderr }: PromptIo, cancel: () => void) {
  const input = new PassThrough();
  const modes = new TerminalModes({ input: stdin, output: stderr } as TerminalStreams);
  const decoder = new KeyDecoder({
    key: (key) => {
      if (CANCEL_KEYS.has(key.name)) end();
      else input.write(bytesOf(key));
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
    cancel();
  };
  stdin.off("error", ignore).on("error", ignore).once("error", end);
  stdin.on("data", onData).on("end", end).resume();
  modes.enter();
  return { input, close };
}

/** Stays registered: a terminal that has gone reports another error when it is closed. */
const ignore = (): void => {};

function bytesOf({ name, text }: Key): string {
  if (text !== "") return text;
  const [, letter] = /^ctrl-([a-z])$/.exec(name) ?? [];
  return letter === undefined
    ? (READLINE_BYTES[name] ?? "")
    : String.fromCharCode(letter.charCodeAt(0) & 0x1f);
}
