import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Memory } from "../../src/memory/memory.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { assistantMessage, type Message, systemMessage, userMessage } from "../../src/messages.js";
import { temporaryFile } from "../support/memory-file.js";

/** The simplest correct memory: one list of all messages. */
class NaiveMemory {
  readonly maxMessages: number;
  entries: { user: string; session: string; run: number; message: Message }[] = [];
  states: { user: string; session: string; key: string; value: number }[] = [];
  #runs = 0;

  constructor(maxMessages: number) {
    this.maxMessages = maxMessages;
  }

  add(messages: readonly Message[], user: string, session: string): void {
    for (const message of messages) {
      const latest = this.of(user, session).findLast((entry) => entry.message.role !== "system");
      const isNewRun = message.role === "user" || latest === undefined;
      this.entries.push({ user, session, run: isNewRun ? ++this.#runs : latest.run, message });
    }
    while (this.of(user).length > this.maxMessages) {
      const turns = this.of(user).filter(({ message }) => message.role !== "system");
      const runs = [...new Set(turns.map(({ run }) => run))];
      const lastIndex = (run: number) => turns.findLastIndex((entry) => entry.run === run);
      const oldest = runs.sort((left, right) => lastIndex(left) - lastIndex(right))[0];
      if (runs.length < 2) return;
      this.entries = this.entries.filter(
        (entry) => entry.run !== oldest || entry.message.role === "system",
      );
    }
  }

  /** Removes the last messages of a session, ignoring system messages. */
  removeLast(count: number, user: string, session: string): void {
    const turns = this.of(user, session).filter(({ message }) => message.role !== "system");
    const removed = turns.slice(turns.length - count);
    this.entries = this.entries.filter((entry) => !removed.includes(entry));
  }

  setState(
    user: string,
    session: string,
    { key, value }: { key: string; value: number | undefined },
  ): void {
    this.states = this.states.filter(
      (state) => state.user !== user || state.session !== session || state.key !== key,
    );
    if (value !== undefined) this.states.push({ user, session, key, value });
  }

  clear(user: string, session?: string): void {
    const stays = (entry: { user: string; session: string }) =>
      entry.user !== user || (session !== undefined && entry.session !== session);
    this.entries = this.entries.filter(stays);
    this.states = this.states.filter(stays);
  }

  of(user: string, session?: string) {
    return this.entries.filter(
      (entry) => entry.user === user && (session === undefined || entry.session === session),
    );
  }

  state(user: string, session: string): Record<string, number> {
    const own = this.states.filter((state) => state.user === user && state.session === session);
    return Object.fromEntries(own.map(({ key, value }) => [key, value]));
  }

  sessions(user: string): Set<string> {
    const own = [...this.entries, ...this.states].filter((entry) => entry.user === user);
    return new Set(own.map(({ session }) => session));
  }
}

const USERS = ["alice", "Alice", "__proto__"];
const SESSIONS = ["default", "s1"];

const user = fc.constantFrom(...USERS);
const session = fc.constantFrom(...SESSIONS);
const message = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "binary" }).map(userMessage) },
  { weight: 4, arbitrary: fc.string({ unit: "binary" }).map((text) => assistantMessage(text)) },
  { weight: 1, arbitrary: fc.string().map(systemMessage) },
);

type Operation = (memory: Memory, naive: NaiveMemory) => Promise<void>;

const add: fc.Arbitrary<Operation> = fc
  .record({ user, session, messages: fc.array(message, { maxLength: 5 }) })
  .map(({ user, session, messages }) => async (memory, naive) => {
    await memory.add(messages, user, { sessionId: session });
    naive.add(messages, user, session);
  });

const replace: fc.Arbitrary<Operation> = fc
  .record({ user, session, messages: fc.array(message, { minLength: 1, maxLength: 5 }) })
  .map(({ user, session, messages }) => async (memory, naive) => {
    const kept = await memory.getMessages(user, { sessionId: session });
    const turns = kept.filter(({ role }) => role !== "system");
    const replaceRun = turns.at(-1)?.runId;
    const other = turns.findLastIndex(({ runId }) => runId !== replaceRun);
    naive.removeLast(turns.length - 1 - other, user, session);
    await memory.add(messages, user, { sessionId: session, replaceRun });
    naive.add(messages, user, session);
  });

const setState: fc.Arbitrary<Operation> = fc
  .record({
    user,
    session,
    key: fc.constantFrom("__proto__", "a", "\ud800"),
    value: fc.option(fc.integer(), { nil: undefined }),
  })
  .map(({ user, session, key, value }) => async (memory, naive) => {
    const state = Object.defineProperty({}, key, { value, enumerable: true });
    await memory.add([], user, { sessionId: session, state });
    naive.setState(user, session, { key, value });
  });

const clear: fc.Arbitrary<Operation> = fc
  .record({ user, session: fc.option(session, { nil: undefined }) })
  .map(({ user, session }) => async (memory, naive) => {
    const before = await memory.read(user, { sessionId: session });
    await memory.clear(user, { sessionId: session });
    naive.clear(user, session);
    const { generation, messages, state } = before;
    if (messages.length === 0 && Object.keys(state).length === 0) return;
    const late = memory.add.bind(memory, userMessage("late"), user);
    await expect(async () => late({ sessionId: session, generation })).rejects.toThrow("cleared");
  });

const page: fc.Arbitrary<Operation> = fc
  .record({
    user,
    session: fc.option(session, { nil: undefined }),
    limit: fc.nat(6),
    skipped: fc.nat(6),
  })
  .map(({ user, session, limit, skipped }) => async (memory, naive) => {
    const all = await memory.getMessages(user, { sessionId: session });
    const after = all[skipped]?.id ?? 0;
    const following = naive.of(user, session).slice(after === 0 ? 0 : skipped + 1);
    expect(contents(await memory.getMessages(user, { sessionId: session, limit, after }))).toEqual(
      following.slice(0, limit).map((entry) => entry.message.content),
    );
    const before = all.at(-1 - skipped)?.id;
    const expected = naive
      .of(user, session)
      .slice(0, before === undefined ? undefined : -1 - skipped)
      .slice(limit === 0 ? Infinity : -limit);
    expect(contents(await memory.getMessages(user, { sessionId: session, limit, before }))).toEqual(
      expected.map((entry) => entry.message.content),
    );
  });

const window: fc.Arbitrary<Operation> = fc
  .record({ user, session, limit: fc.nat(6) })
  .map(({ user, session, limit }) => async (memory, naive) => {
    const own = naive.of(user, session).map((entry) => entry.message);
    const turns = own
      .filter(({ role }) => role !== "system")
      .slice(limit === 0 ? Infinity : -limit);
    const expected = own.filter((each) => each.role === "system" || turns.includes(each));
    const { messages } = await memory.read(user, { sessionId: session, limit });
    expect(contents(messages)).toEqual(contents(expected));
  });

const contents = (messages: readonly Message[]) => messages.map(({ content }) => content);

async function expectSame(memory: Memory, naive: NaiveMemory): Promise<void> {
  for (const user of USERS) {
    expect(contents(await memory.getMessages(user))).toEqual(
      naive.of(user).map((entry) => entry.message.content),
    );
    expect(await memory.size(user)).toBe(naive.of(user).length);
    for (const sessionId of SESSIONS) {
      const { messages, state } = await memory.read(user, { sessionId });
      const own = naive.of(user, sessionId).map((entry) => entry.message);
      expect(messages.map(({ role }) => role)).toEqual(own.map(({ role }) => role));
      expect(contents(messages)).toEqual(contents(own));
      expect(Object.entries(state).sort()).toEqual(
        Object.entries(naive.state(user, sessionId)).sort(),
      );
    }
    const sessions = await memory.sessions(user);
    expect(new Set(sessions.map(({ sessionId }) => sessionId))).toEqual(naive.sessions(user));
    for (const info of sessions) {
      const own = naive.of(user, info.sessionId);
      expect(info.messages).toBe(own.length);
      expect(info.runs).toBe(own.filter((entry) => entry.message.role === "user").length);
    }
  }
  const known = USERS.filter((user) => naive.sessions(user).size > 0);
  expect((await memory.users()).map(({ userId }) => userId).sort()).toEqual(known.sort());
}

const operations = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: add },
    { weight: 2, arbitrary: replace },
    setState,
    clear,
    page,
    window,
  ),
  { maxLength: 40 },
);

describe("any sequence of calls", () => {
  it("leaves InMemory equal to a naive memory, whatever its limit", async () => {
    const limits = fc.constantFrom(0, 1, 2, 3, 7, Infinity);
    await fc.assert(
      fc.asyncProperty(operations, limits, async (sequence, limit) => {
        const memory = new InMemory(limit);
        const naive = new NaiveMemory(limit);
        for (const operation of sequence) {
          await operation(memory, naive);
          await expectSame(memory, naive);
        }
      }),
      { numRuns: 150, seed: 1 },
    );
  });

  it("leaves SqliteMemory equal to a naive memory", async () => {
    const memory = new SqliteMemory(temporaryFile());
    await fc.assert(
      fc.asyncProperty(operations, async (sequence) => {
        const naive = new NaiveMemory(Infinity);
        for (const operation of sequence) await operation(memory, naive);
        await expectSame(memory, naive);
        await memory.clearAll();
      }),
      { numRuns: 40, seed: 2 },
    );
    await memory.close();
  });
});
