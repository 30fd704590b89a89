import type { Context } from "../command-context.js";
import { createPalette } from "../render/colour.js";
import { inputFilesIn } from "../terminal/input-files.js";
import { InputHistory, type InputStore } from "../terminal/input-history.js";
import { type KeptInput, LineEditor } from "../terminal/line-editor.js";
import type { TerminalStreams } from "../terminal/modes.js";
import { parseAside, parseInput } from "./chat-input.js";
import type { OpenRepl } from "./load-chat.js";
import { promptOf } from "./prompt.js";

/** The REPL on a terminal. The prompt comes first: all the rest loads behind it. */
export async function interactive(context: Context): Promise<void> {
  const { io, home, settings, signal, options } = context;
  const palette = createPalette(io.stdout, { env: io.env, colorFlag: options.color });
  const who = { userId: settings.values.user, sessionId: settings.values.session };
  const historyOf = inputHistories(io.env.AGNO_CHAT_NO_HISTORY ? undefined : inputFilesIn(home));
  const editor = new LineEditor({
    input: io.stdin as TerminalStreams["input"],
    output: io.stdout as TerminalStreams["output"],
    env: io.env,
    prompt: promptOf(who, palette),
    owner: who.userId,
    history: historyOf(who.userId),
    complete: async (text) => (await behind).complete(text),
    keep: (text) => keptOf(text, historyOf),
  });
  editor.resume();
  signal.addEventListener("abort", () => editor.close(), { once: true });
  const behind: Promise<OpenRepl> = import("./load-chat.js").then(({ open }) =>
    open(context, { editor, palette, historyOf, who }),
  );
  try {
    await (await behind).converse();
  } finally {
    editor.close();
    await behind.then(
      ({ close }) => close(),
      () => {},
    );
  }
}

/** What is said as somebody else is theirs to find again, not the active user's. */
function keptOf(
  text: string,
  historyOf: (userId: string) => InputHistory,
): KeptInput | "nothing" | undefined {
  const input = parseInput(text);
  // What is written in the editor is kept, once it is sent.
  if (input.kind === "command" && input.name === "edit") return "nothing";
  const aside =
    input.kind === "command" && input.name === "as" ? parseAside(input.argument) : undefined;
  if (aside === undefined || text.startsWith(" ")) return undefined;
  return { text: aside.message, history: historyOf(aside.userId) };
}

/** The input history of each user, made when first asked for. */
function inputHistories(store: InputStore | undefined): (userId: string) => InputHistory {
  const histories = new Map<string, InputHistory>();
  return (userId) => {
    const history = histories.get(userId) ?? new InputHistory(userId, store);
    histories.set(userId, history);
    return history;
  };
}
