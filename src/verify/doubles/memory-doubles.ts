import { InMemory } from "../../memory/in-memory.js";
import type { Memory, Snapshot } from "../../memory/memory.js";
import { agentOver } from "../battery.js";
import { clears } from "../phases/clears.js";
import { overlap } from "../phases/overlap.js";
import type { Stage } from "../stage.js";
import { SESSIONS } from "../users.js";
import type { Double, Opened } from "./double.js";

type Methods = Required<Omit<Memory, "leases" | "tokens" | "limits" | "edits" | "attachments">>;

export type Wrapped = Partial<{
  [Name in keyof Methods]: (
    call: (...args: Parameters<Methods[Name]>) => Awaited<ReturnType<Methods[Name]>>,
    ...args: Parameters<Methods[Name]>
  ) => ReturnType<Methods[Name]>;
}>;

/** A memory with some methods replaced. */
export function changed(memory: InMemory, methods: Wrapped): Memory {
  return new Proxy(memory, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      const call = value.bind(target);
      const wrap = (methods as Record<PropertyKey, ((...args: unknown[]) => unknown) | undefined>)[
        name
      ];
      return wrap === undefined ? call : (...args: unknown[]) => wrap(call, ...args);
    },
  });
}

/** @param phases The phases that can find it. Default: all. */
const double = (
  name: string,
  methods: (memory: InMemory) => Wrapped,
  phases?: Opened["phases"],
): Double => ({
  name,
  open() {
    const memory = new InMemory();
    return { open: agentOver(changed(memory, methods(memory))), phases };
  },
});

/** A leak that shows when a session is read. */
async function reading(stage: Stage): Promise<void> {
  await overlap(stage, SESSIONS.length);
  await stage.readAllBack();
}

/** A leak that shows after a clear. */
async function clearing(stage: Stage): Promise<void> {
  await overlap(stage, SESSIONS.length);
  await clears(stage);
}

/** Every method with another user id. */
const renaming = (name: string, rename: (userId: string) => string): Double =>
  double(name, () => ({
    add: (call, messages, userId = "default", options) => call(messages, rename(userId), options),
    read: (call, userId = "default", options) => call(rename(userId), options),
    getMessages: (call, userId = "default", options) => call(rename(userId), options),
    getState: (call, userId = "default", options) => call(rename(userId), options),
    size: (call, userId = "default", options) => call(rename(userId), options),
    clear: (call, userId = "default", options) => call(rename(userId), options),
    sessions: (call, userId = "default", options) => call(rename(userId), options),
    counts: (call, userId = "default", options) => call(rename(userId), options),
    sessionsById: (call, userId = "default") => call(rename(userId)),
  }));

const withoutMessages = (snapshot: Snapshot): Snapshot => ({ ...snapshot, messages: [] });

export const MEMORY_DOUBLES: readonly Double[] = [
  renaming("a memory that ignores upper case", (userId) => userId.toLowerCase()),
  renaming("a memory that shares sessions by name", () => "everybody"),
  double("a memory that joins user and session with a colon", () => {
    const joined = (userId = "default", sessionId = "default") => `${userId}:${sessionId}`;
    return {
      add: (call, messages, userId, options) =>
        call(messages, joined(userId, options?.sessionId), { ...options, sessionId: "default" }),
      read: (call, userId, options) =>
        call(joined(userId, options?.sessionId), { ...options, sessionId: "default" }),
    };
  }),
  double("a memory that reads the user who wrote last", () => {
    let latest: string | undefined;
    return {
      add(call, messages, userId, options) {
        latest = userId;
        return call(messages, userId, options);
      },
      read: (call, userId, options) => call(latest ?? userId, options),
    };
  }),
  double("a memory that forgets everything", () => ({
    read: (call, userId, options) => withoutMessages(call(userId, options)),
  })),
  double("a memory that remembers the first it read of each session", () => {
    const read = new Map<string, Snapshot>();
    return {
      read(call, userId, options) {
        const key = `${userId} ${options?.sessionId}`;
        const found = read.get(key);
        if (found !== undefined) return found;
        const snapshot = call(userId, options);
        if (snapshot.messages.length > 0) read.set(key, snapshot);
        return snapshot;
      },
    };
  }),
  double("a memory that drops every tenth reply", () => {
    let adds = 0;
    return {
      add: (call, messages, userId, options) =>
        ++adds % 10 === 0 && Array.isArray(messages)
          ? call(messages.slice(0, -1), userId, options)
          : call(messages, userId, options),
    };
  }),
  double(
    "a memory that returns messages of other sessions",
    () => ({
      getMessages: (call, userId, { sessionId: _, ...options } = {}) => call(userId, options),
    }),
    reading,
  ),
  double(
    "a memory that counts other sessions",
    () => ({ size: (call, userId) => call(userId) }),
    reading,
  ),
  double(
    "a memory that sums up other sessions",
    () => ({ counts: (call, userId) => call(userId) }),
    reading,
  ),
  double("a memory whose session state is everybody's", (memory) => {
    const shared = "shared";
    return {
      async add(call, messages, userId, options = {}) {
        const { state, ...rest } = options;
        if (state !== undefined) memory.add([], shared, { state });
        const { expected: _, ...others } = rest;
        return call(messages, userId, others);
      },
      read: (call, userId, options) => ({
        ...call(userId, options),
        state: memory.getState(shared),
      }),
    };
  }),
  double("a memory that loses session state", () => ({
    add: (call, messages, userId, { state: _, ...options } = {}) => call(messages, userId, options),
  })),
  double(
    "a clear that clears nothing",
    () => ({ clear: () => ({ messages: 0, sessions: 0 }) }),
    clearing,
  ),
  double(
    "a clear that clears everybody",
    (memory) => ({ clear: () => memory.clearAll() }),
    clearing,
  ),
  double(
    "a clear of one session that clears the user",
    () => ({ clear: (call, userId) => call(userId) }),
    clearing,
  ),
  double(
    "a list of everybody's sessions",
    (memory) => ({
      sessions: () => memory.users().flatMap(({ userId }) => memory.sessions(userId)),
    }),
    reading,
  ),
];
