import { onAbort } from "../../abort.js";
import type { UserId } from "../../ids.js";
import type { Context } from "../command-context.js";
import { createPalette } from "../render/colour.js";
import { inputFilesIn } from "../terminal/input-files.js";
import { InputHistory, type InputStore } from "../terminal/input-history.js";
import { type KeptInput, LineEditor } from "../terminal/line-editor.js";
import type { TerminalStreams } from "../terminal/modes.js";
import { type Aside, type Input, isPlainText, parseAside, parseInput } from "./chat-input.js";
import type { FirstMessage } from "./first-message.js";
import type { LoadedChat } from "./load-chat.js";
import { promptOf } from "./prompt.js";

/** The REPL on a terminal. Shows the prompt first and loads everything else after it. */
export async function interactive(context: Context, first?: FirstMessage): Promise<void> {
  const { io, home, settings, signal, options } = context;
  const palette = createPalette(io.stdout, { env: io.env, colorFlag: options.color });
  const speaker = { userId: settings.values.user, sessionId: settings.values.session };
  const isKept = options.save && !io.env.AGNO_CHAT_NO_HISTORY;
  const historyOf = inputHistories(isKept ? inputFilesIn(home) : undefined);
  const editor = new LineEditor({
    input: io.stdin as TerminalStreams["input"],
    output: io.stdout as TerminalStreams["output"],
    env: io.env,
    prompt: promptOf(speaker, palette),
    owner: speaker.userId,
    history: historyOf(speaker.userId),
    complete: async (text) => (await loading).complete(text),
    keep: (text) => keptOf(text, historyOf),
  });
  if (first !== undefined) editor.send(first.text, !isPlainText(first.text));
  editor.resume();
  onAbort(signal, () => editor.close());
  const loading: Promise<LoadedChat> = import("./load-chat.js").then(({ loadChat }) =>
    loadChat(context, { editor, palette, historyOf, speaker, first }),
  );
  try {
    await (await loading).converse();
  } finally {
    editor.close();
    await loading.then(
      ({ close }) => close(),
      () => {},
    );
  }
}

/** A message sent with `/as` goes into the input history of the user it was sent as. */
function keptOf(
  text: string,
  historyOf: (userId: UserId) => InputHistory,
): KeptInput | "nothing" | undefined {
  const input = parseInput(text);
  // The text from the editor is kept instead, once it is sent.
  if (input.kind === "command" && input.name === "edit") return "nothing";
  const aside = asideIn(input);
  if (aside === undefined || text.startsWith(" ")) return undefined;
  return { text: aside.message, history: historyOf(aside.userId) };
}

/** Undefined for an invalid user id too: who typed it gets the line back to correct it. */
function asideIn(input: Input): Aside | undefined {
  if (input.kind !== "command" || input.name !== "as") return undefined;
  try {
    return parseAside(input.argument);
  } catch {
    return undefined;
  }
}

/** The input history of each user, created on first use. */
function inputHistories(store: InputStore | undefined): (userId: UserId) => InputHistory {
  const histories = new Map<UserId, InputHistory>();
  return (userId) => {
    const history = histories.get(userId) ?? new InputHistory(userId, store);
    histories.set(userId, history);
    return history;
  };
}
