import { join } from "node:path";
import { type Context, modelOf } from "../context.js";
import { createPalette } from "../render/colour.js";
import { Conversation } from "./conversation.js";
import { InputFiles } from "./input-files.js";
import { InputHistory } from "./input-history.js";
import { LineEditor } from "./line-editor.js";
import { LiveScreen, promptOf } from "./live-screen.js";
import { openRepl } from "./open-repl.js";
import type { Repl } from "./repl.js";

/** How fast the demo model talks: milliseconds a word. */
const DEMO_PACE = 25;

/** The REPL on a terminal. The prompt comes first; agent, memory and model load behind it. */
export async function interactive(context: Context): Promise<number> {
  const { io, home, settings, signal, options } = context;
  const palette = createPalette(io.stdout, { env: io.env, colorFlag: options.color });
  const who = { userId: settings.values.user, sessionId: settings.values.session };
  const historyOf = inputHistories(io.env.AGNO_CHAT_NO_HISTORY ? undefined : join(home, "input"));
  const editor = new LineEditor({
    input: io.stdin as NodeJS.ReadStream,
    output: io.stdout as NodeJS.WriteStream,
    env: io.env,
    prompt: promptOf(who, palette),
    owner: who.userId,
    history: historyOf(who.userId),
    complete: async (text) => (await import("./completion.js")).completionsOf(await repl, text),
  });
  const screen = new LiveScreen({ io, palette, editor, historyOf });
  editor.resume();
  const repl = open(context, screen);
  signal.addEventListener("abort", () => editor.close(), { once: true });
  try {
    await new Conversation({ editor, screen, repl: await repl }).run();
  } finally {
    editor.close();
    await (await repl.catch(() => undefined))?.memory.close();
  }
  return 0;
}

async function open(context: Context, screen: LiveScreen): Promise<Repl> {
  const { store } = context.settings.values;
  const { openMemory } = await import("../../memory/open.js");
  const memory = await openMemory(store);
  const model = await modelOf(context, DEMO_PACE);
  const repl = await openRepl(context, { memory, model, screen });
  screen.show(repl.active);
  return repl;
}

/** The input history of each user, made when first asked for. */
function inputHistories(folder: string | undefined): (userId: string) => InputHistory {
  const store = folder === undefined ? undefined : new InputFiles(folder);
  const histories = new Map<string, InputHistory>();
  return (userId) => {
    const history = histories.get(userId) ?? new InputHistory(userId, store);
    histories.set(userId, history);
    return history;
  };
}
