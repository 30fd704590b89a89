import { expect, test } from "vitest";
import { onAbort } from "../../../src/abort.js";
import { Conversation } from "../../../src/cli/chat/conversation.js";
import type { LiveScreen } from "../../../src/cli/chat/live-screen.js";
import { Repl } from "../../../src/cli/chat/repl.js";
import type { LineEditor, LineEvent } from "../../../src/cli/terminal/line-editor.js";
import { DEFAULT_SESSION_ID, DEFAULT_USER_ID } from "../../../src/ids.js";
import { InMemory } from "../../../src/memory/in-memory.js";
import type { SearchOptions } from "../../../src/memory/memory.js";
import { ScriptedModel } from "../../../src/testing/scripted-model.js";

/** Its search takes for ever, unless it is stopped. */
class SlowMemory extends InMemory {
  override search(_words: string, _userId: string, { signal, onIndexing }: SearchOptions): never {
    onIndexing?.(0.01);
    const stopped = new Promise((_, reject) =>
      onAbort(signal as AbortSignal, () => reject(signal?.reason)),
    );
    return stopped as never;
  }
}

test.each(["ctrl-c", "escape"] as const)("%s stops a command that takes long", async (key) => {
  const notes: string[] = [];
  const screen = {
    note: (text: string) => notes.push(text),
    failure: (text: string) => notes.push(text),
  } as unknown as LiveScreen;
  let take = (_event: LineEvent): unknown => undefined;
  const listen = (listener: typeof take) => {
    take = listener;
  };
  const repl = new Repl({
    parts: {
      ...{ model: new ScriptedModel(() => "Yes"), memory: new SlowMemory(), toolkits: [] },
      ...{ historyLimit: 200, historyTokens: Infinity },
    },
    screen,
    start: { userId: DEFAULT_USER_ID, sessionId: DEFAULT_SESSION_ID },
    openModel: () => Promise.reject(new Error("no other model")),
    prices: async () => undefined,
  });
  const editor = { listen, close: () => {} } as unknown as LineEditor;
  const ended = new Conversation({ editor, screen, repl, debug: false }).run();
  const interrupt = { type: "interrupt", key, hasDraft: true } as const;
  expect(take(interrupt)).toBe(false);
  const message = { text: "/search oslo", literal: false, owner: DEFAULT_USER_ID };
  take({ type: "message", ...message });
  await expect
    .poll(() => notes)
    .toEqual(["Building the search index, once: 1 %; Ctrl-C stops it."]);
  expect(take(interrupt)).toBe(true);
  take({ type: "end" });
  await ended;
  expect(notes.slice(1)).toEqual(["interrupted"]);
});
