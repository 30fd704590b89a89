import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect } from "vitest";
import type { RunEvent } from "../../src/agent/events.js";
import type { ErrorCode } from "../../src/errors.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Memory } from "../../src/memory/memory.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import type { Message, StoredMessage } from "../../src/messages.js";
import type { ModelRequest } from "../../src/models/model.js";
import type { Tool, ToolContext, Toolkit } from "../../src/tools/tool.js";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function opened(memory: Memory): Memory {
  cleanups.push(() => memory.close());
  return memory;
}

function temporaryFile(name: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), "agno-chat-agent-"));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  return path.join(folder, name);
}

export interface MemoryKind {
  readonly name: string;
  readonly open: () => Memory;
}

/** The memories that need no server. Each is opened empty, and closed after the test. */
export const MEMORIES: readonly MemoryKind[] = [
  { name: "InMemory", open: () => opened(new InMemory()) },
  { name: "SqliteMemory", open: () => opened(new SqliteMemory(temporaryFile("chats.db"))) },
];

/** A user for runs where the user does not matter. */
export const SOMEONE = { userId: "default" };

/** A promise that is settled from outside. */
export class Gate {
  open!: () => void;
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}

/** Resolves when everything that waits for neither a timer nor input is done. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Returns random numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const failsWith = (work: Promise<unknown>, code: ErrorCode): Promise<void> =>
  expect(work).rejects.toMatchObject({ name: "AgnoChatError", code });

export const contents = (messages: readonly Message[]): string[] =>
  messages.map(({ content }) => content);

export const userTexts = (messages: readonly Message[]): string[] =>
  contents(messages.filter(({ role }) => role === "user"));

/** The last user message. */
export const question = ({ messages }: ModelRequest): string =>
  messages.findLast(({ role }) => role === "user")?.content ?? "";

export const toolkitOf = (...tools: readonly Tool[]): Toolkit => ({ name: "test", tools });

/** A tool without parameters. */
export const toolOf = (
  name: string,
  work: (context: ToolContext, args: unknown) => unknown,
): Tool => ({
  name,
  description: name,
  parameters: { type: "object" },
  execute: (args, context) => work(context, args),
});

/** All events of a stream, and its failure if it has failed. */
export async function collect(
  stream: AsyncIterable<RunEvent>,
): Promise<{ events: RunEvent[]; failure: unknown }> {
  const events: RunEvent[] = [];
  try {
    for await (const event of stream) events.push(event);
    return { events, failure: undefined };
  } catch (failure) {
    return { events, failure };
  }
}

/** All data of all users, to compare byte by byte. */
export async function dump(memory: Memory): Promise<string> {
  const users = (await memory.users()).map(({ userId }) => userId).sort();
  const all = users.map(async (userId) => ({
    userId,
    messages: await memory.getMessages(userId),
    sessions: await sessionStates(memory, userId),
  }));
  return JSON.stringify(await Promise.all(all));
}

async function sessionStates(memory: Memory, userId: string) {
  const ids = (await memory.sessions(userId)).map(({ sessionId }) => sessionId).sort();
  return Promise.all(ids.map(async (id) => [id, await memory.getState(userId, { sessionId: id })]));
}

/** Every run is user → (tool calls → every result)* → assistant, and has one run id. */
export function expectWellFormed(history: readonly StoredMessage[]): void {
  const roles = history.map(roleLetter).join("");
  expect(roles).toMatch(/^(u(ct+)*a)*$/);
  history.forEach((message, index) => {
    if (message.role !== "user") expect(message.runId).toBe(history[index - 1]?.runId);
    if (message.role === "assistant" && message.toolCalls)
      expect(resultIds(history, index)).toEqual(message.toolCalls.map(({ id }) => id));
  });
}

function roleLetter(message: StoredMessage): string {
  if (message.role === "assistant") return message.toolCalls?.length ? "c" : "a";
  return message.role[0] as string;
}

/** The call ids of the tool messages right after this message. */
export function resultIds(messages: readonly Message[], index: number): string[] {
  const ids: string[] = [];
  for (const message of messages.slice(index + 1)) {
    if (message.role !== "tool") break;
    ids.push(message.toolCallId);
  }
  return ids;
}
