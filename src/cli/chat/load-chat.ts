import { openMemory } from "../../memory/open-memory.js";
import type { Context } from "../command-context.js";
import { chooseModel, openChosenModel } from "../model-choice.js";
import { storeOf } from "../open-agent.js";
import type { Palette } from "../render/colour.js";
import type { InputHistory } from "../terminal/input-history.js";
import type { LineEditor } from "../terminal/line-editor.js";
import { completionsOf } from "./completion.js";
import { Conversation } from "./conversation.js";
import { LiveScreen } from "./live-screen.js";
import { openRepl } from "./open-repl.js";
import type { Who } from "./screen.js";
import { welcomeLine, welcomeText } from "./welcome.js";

/** How fast the demo model talks: milliseconds a word. */
const DEMO_PACE = 25;

export interface Terminal {
  readonly editor: LineEditor;
  readonly palette: Palette;
  readonly historyOf: (userId: string) => InputHistory;
  readonly who: Who;
}

export interface OpenRepl {
  complete(text: string): Promise<string[]>;
  /** Until the user leaves. */
  converse(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Everything of the REPL that the first prompt does not need.
 * @throws {AgnoChatError} when the model or the memory cannot be opened
 */
export async function open(
  context: Context,
  { editor, palette, historyOf, who }: Terminal,
): Promise<OpenRepl> {
  const { io, options, settings, signal } = context;
  const screen = new LiveScreen({ io, palette, editor, historyOf, start: who, signal });
  if (!options.quiet) screen.print(welcomeText(context));
  const model = await openChosenModel(chooseModel(settings, io.env), {
    signal,
    delayMs: DEMO_PACE,
  });
  const memory = await openMemory(storeOf(context), { notice: (line) => screen.note(line) });
  // A store that cannot be read ends the start, not the first message; and one that can is ready for it.
  const sessions = await memory.sessions(who.userId);
  if (!options.quiet) screen.note(welcomeLine({ who, sessions }));
  const repl = await openRepl(context, { memory, model, screen, delayMs: DEMO_PACE });
  return {
    complete: (text) => completionsOf(repl, text),
    converse: () => new Conversation({ editor, screen, repl, debug: options.debug }).run(),
    close: async () => memory.close(),
  };
}
