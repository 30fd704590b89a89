import type { UserId } from "../../ids.js";
import type { NamesQuery } from "../../memory/copy-store.js";
import { knownNames } from "../../memory/known-names.js";
import type { Memory } from "../../memory/memory.js";
import { openMemory } from "../../memory/open-memory.js";
import { parseStoreSpec } from "../../memory/store-spec.js";
import type { Context } from "../command-context.js";
import { chooseModel, openChosenModel } from "../model-choice.js";
import { storeOf } from "../open-agent.js";
import type { Palette } from "../render/colour.js";
import type { InputHistory } from "../terminal/input-history.js";
import type { LineEditor } from "../terminal/line-editor.js";
import { completionsOf } from "./completion.js";
import { Conversation } from "./conversation.js";
import type { FirstMessage } from "./first-message.js";
import { introductionOf } from "./introduction.js";
import { LiveScreen } from "./live-screen.js";
import { openRepl } from "./open-repl.js";
import type { Speaker } from "./screen.js";
import { welcomeLine, welcomeText } from "./welcome.js";

/** The pace of the demo model, in milliseconds per word. */
const DEMO_PACE = 25;

export interface PromptState {
  readonly editor: LineEditor;
  readonly palette: Palette;
  readonly historyOf: (userId: UserId) => InputHistory;
  readonly speaker: Speaker;
  /** The message that is sent already, and waits for this to be loaded. */
  readonly first: FirstMessage | undefined;
}

export interface LoadedChat {
  complete(text: string): Promise<string[]>;
  /** Resolves when the user leaves. */
  converse(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Loads the part of the chat that the first prompt does not need.
 * @throws {AgnoChatError} when the model or the memory cannot be opened
 */
export async function loadChat(
  context: Context,
  { editor, palette, historyOf, speaker, first }: PromptState,
): Promise<LoadedChat> {
  const { io, options, settings, signal } = context;
  const screen = new LiveScreen({ io, palette, editor, historyOf, start: speaker, signal });
  if (!options.quiet) screen.print(welcomeText(context));
  const model = await openChosenModel(chooseModel(settings, io.env), {
    signal,
    delayMs: DEMO_PACE,
  });
  const memory = await openMemory(storeOf(context), { notice: (line) => screen.note(line) });
  // An unreadable store fails here, at the start, not at the first message.
  const introduction = await introductionOf(memory, speaker);
  if (!options.quiet) screen.note(welcomeLine(introduction));
  const files = first?.attachments;
  const repl = await openRepl(context, { memory, model, screen, delayMs: DEMO_PACE, files });
  return {
    complete: (text) => completionsOf(repl, text, (query) => namesIn(context, memory, query)),
    converse: () => new Conversation({ editor, screen, repl, debug: options.debug }).run(),
    close: async () => memory.close(),
  };
}

/** A store that keeps nothing has no more users than fit in memory. */
async function namesIn(
  context: Context,
  memory: Memory,
  query: NamesQuery,
): Promise<readonly string[]> {
  const store = storeOf(context);
  if (parseStoreSpec(store).kind !== "memory") return knownNames(store, query);
  const { sessionsOf, prefix } = query;
  const names =
    sessionsOf === undefined
      ? (await memory.users()).map(({ userId }) => userId)
      : (await memory.sessions(sessionsOf)).map(({ sessionId }) => sessionId);
  return names.filter((name) => name.startsWith(prefix));
}
