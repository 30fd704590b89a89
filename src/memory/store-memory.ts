import type { SessionId, UserId } from "../ids.js";
import {
  type Contents,
  haveAttachments,
  type NewMessage,
  type StoredMessage,
} from "../messages.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import { newRunId } from "../run-id.js";
import { andThen } from "./and-then.js";
import {
  countOf,
  durationOf,
  optionalSessionIdOf,
  pageOf,
  replaceRunOf,
  sessionIdOf,
  userIdOf,
  userIdsOf,
} from "./arguments.js";
import { attachmentsOf, checkedContents } from "./attachments.js";
import { sumOf } from "./counts.js";
import { editsOf } from "./edits.js";
import {
  historyCleared,
  leaseLost,
  noAttachments,
  noLeases,
  noLimits,
  runConflict,
  stateConflict,
  storeClosed,
  tooManyInactive,
} from "./failures.js";
import { leasesOf } from "./leases.js";
import type {
  AddOptions,
  Attachments,
  Awaitable,
  Counts,
  Deleted,
  DeletedUsers,
  Edits,
  GetMessagesOptions,
  Leases,
  Memory,
  ReadOptions,
  RemoveInactiveOptions,
  SearchOptions,
  SearchResult,
  SessionInfo,
  SessionOptions,
  SessionState,
  SessionsOptions,
  SessionWithState,
  Snapshot,
  Tokens,
  UserInfo,
  UserLimits,
  UsersOptions,
} from "./memory.js";
import {
  ADD_KEYS,
  PAGE_KEYS,
  READ_KEYS,
  REMOVE_INACTIVE_KEYS,
  SEARCH_KEYS,
  SESSION_KEYS,
  SESSIONS_KEYS,
  USERS_KEYS,
} from "./option-keys.js";
import { cutToPage } from "./order.js";
import { searchIn, searchOf } from "./search/search.js";
import { encodePatch } from "./state.js";
import type { Answer, CommitOutcome, CountsRow, NewRow, Store } from "./store.js";
import { isTooMany } from "./sweep.js";
import { tokensOf } from "./tokens.js";
import { checkedSpent, userLimitsOf } from "./user-limits.js";
import { validateMessages } from "./validate-messages.js";

export interface StoreMemoryOptions {
  /** The clock: milliseconds since 1970. Default: `Date.now`. */
  readonly now?: (() => number) | undefined;
}

export const STORE_MEMORY_KEYS: KnownKeys<StoreMemoryOptions> = { now: true };

/**
 * Implements `Memory` over any store: validates ids and messages, applies defaults, assigns runs
 * and times, and copies what it returns. Its methods return promises if those of the store do.
 * @example
 * import { FileStore } from "./file-store.mjs"; // the store of docs/write-a-store.md
 *
 * const memory = new StoreMemory(new FileStore("conversations"));
 * await memory.add(userMessage("Hello"), "alice");
 * console.log(await memory.size("alice")); // 1
 * await memory.close();
 */
export class StoreMemory<AtOnce extends boolean = boolean> implements Memory {
  /** Undefined unless the store has them. */
  readonly leases: Leases | undefined;
  /** Undefined unless the store has them. */
  readonly tokens: Tokens | undefined;
  /** Undefined unless the store has them. */
  readonly limits: UserLimits | undefined;
  readonly edits: Edits | undefined;
  /** Undefined unless the store has them. */
  readonly attachments: Attachments | undefined;
  readonly #store: Store<AtOnce>;
  readonly #now: () => number;
  #latest = { time: Number.NaN, iso: "" };
  #closed = false;

  /** @throws {AgnoChatError} `USAGE` for an unknown option */
  constructor(store: Store<AtOnce>, options: StoreMemoryOptions = {}) {
    refuseUnknownKeys(options, STORE_MEMORY_KEYS, "StoreMemory");
    this.#store = store;
    this.#now = options.now ?? Date.now;
    const isClosed = () => this.#closed;
    this.leases = store.leases && leasesOf(store.leases, { isClosed });
    this.tokens = store.tokens && tokensOf(store.tokens, { now: this.#now, isClosed });
    this.limits = store.limits && userLimitsOf(store.limits, { now: this.#now, isClosed });
    this.edits = store.edits && editsOf(store.edits, { now: this.#now, isClosed });
    this.attachments = store.attachments && attachmentsOf(store.attachments, { isClosed });
  }

  add(
    messages: NewMessage | readonly NewMessage[],
    userId?: string,
    options: AddOptions = {},
  ): Answer<AtOnce, readonly StoredMessage[]> {
    // `add` and `read` avoid a closure, which would cost as much as the rest of a read.
    return this.#store.atOnce
      ? (this.#add(messages, userId, options) as Answer<AtOnce, readonly StoredMessage[]>)
      : this.#call(() => this.#add(messages, userId, options));
  }

  read(userId?: string, options: ReadOptions = {}): Answer<AtOnce, Snapshot> {
    return this.#store.atOnce
      ? (this.#read(userId, options) as Answer<AtOnce, Snapshot>)
      : this.#call(() => this.#read(userId, options));
  }

  getMessages(userId?: string, options: GetMessagesOptions = {}): Answer<AtOnce, StoredMessage[]> {
    return this.#call(() => {
      refuseUnknownKeys(options, PAGE_KEYS, "getMessages");
      const page = pageOf(options);
      const found = this.#store.page(userIdOf(userId), {
        sessionId: optionalSessionIdOf(options),
        ...page,
      });
      return andThen(found, (messages) => copyFrozen(cutToPage(messages, page)));
    });
  }

  getState(userId?: string, options: SessionOptions = {}): Answer<AtOnce, SessionState> {
    return this.#call(() => {
      refuseUnknownKeys(options, SESSION_KEYS, "getState");
      const window = { sessionId: sessionIdOf(options), limit: 0 };
      return andThen(this.#store.read(userIdOf(userId), window), ({ state }) => state);
    });
  }

  size(userId?: string, options: SessionOptions = {}): Answer<AtOnce, number> {
    return this.#call(() => {
      refuseUnknownKeys(options, SESSION_KEYS, "size");
      return this.#store.size(userIdOf(userId), { sessionId: optionalSessionIdOf(options) });
    });
  }

  search(
    words: string,
    userId?: string,
    options: SearchOptions = {},
  ): Answer<AtOnce, SearchResult> {
    return this.#call(() => {
      refuseUnknownKeys(options, SEARCH_KEYS, "search");
      return searchIn(this.#store, userIdOf(userId), searchOf(words, options));
    });
  }

  clear(userId?: string, options: SessionOptions = {}): Answer<AtOnce, Deleted> {
    return this.#call(() => {
      refuseUnknownKeys(options, SESSION_KEYS, "clear");
      return this.#store.delete(userIdOf(userId), {
        sessionId: optionalSessionIdOf(options),
        time: this.#now(),
      });
    });
  }

  clearAll(): Answer<AtOnce, DeletedUsers> {
    return this.#call(() => this.#store.deleteAll());
  }

  users(options: UsersOptions = {}): Answer<AtOnce, UserInfo[]> {
    return this.#call(() => {
      refuseUnknownKeys(options, USERS_KEYS, "users");
      const limit = countOf(options.limit, "limit");
      return andThen(this.#store.users({ limit }), (rows) => withIsoTimes(rows.slice(0, limit)));
    });
  }

  sessions(userId?: string, options: SessionsOptions = {}): Answer<AtOnce, SessionInfo[]> {
    return this.#call(() => {
      refuseUnknownKeys(options, SESSIONS_KEYS, "sessions");
      const limit = countOf(options.limit, "limit");
      const found = this.#store.sessions(userIdOf(userId), { limit });
      return andThen(found, (rows) => withIsoTimes(rows.slice(0, limit)));
    });
  }

  counts(userId?: string, options: SessionOptions = {}): Answer<AtOnce, Counts> {
    return this.#call(() => {
      refuseUnknownKeys(options, SESSION_KEYS, "counts");
      const found = this.#countsOf(userIdOf(userId), optionalSessionIdOf(options));
      return andThen(found, ({ lastActivity: time, ...counts }) => ({
        ...counts,
        lastActivity: time === undefined ? undefined : new Date(time).toISOString(),
      }));
    });
  }

  async *sessionsById(userId?: string): AsyncGenerator<readonly SessionWithState[]> {
    if (this.#closed) throw storeClosed();
    const { sessionPages } = await import("./list-sessions.js");
    for await (const page of sessionPages(this.#store, userIdOf(userId))) {
      yield withIsoTimes(page);
      if (this.#closed) throw storeClosed();
    }
  }

  removeInactive(
    maxAge: number,
    options: RemoveInactiveOptions = {},
  ): Answer<AtOnce, DeletedUsers> {
    return this.#call(() => {
      refuseUnknownKeys(options, REMOVE_INACTIVE_KEYS, "removeInactive");
      const { force = false } = options;
      const except = userIdsOf(options.except);
      const time = this.#now();
      const idleSince = Math.ceil(time - durationOf(maxAge, "maxAge"));
      if (idleSince === -Infinity) return { users: 0, sessions: 0, messages: 0 };
      const sweep = (): Awaitable<DeletedUsers> =>
        this.#store.deleteIdle({ idleSince, except, time });
      if (force) return sweep();
      return andThen(this.#store.countUsers({ idleSince }), (count) => {
        if (isTooMany(count)) throw tooManyInactive(count);
        return sweep();
      });
    });
  }

  close(): Answer<AtOnce, void> {
    const closed = this.#closed;
    this.#closed = true;
    if (!closed) return this.#store.close();
    return (this.#store.atOnce ? undefined : Promise.resolve()) as Answer<AtOnce, void>;
  }

  #add(
    messages: NewMessage | readonly NewMessage[],
    userId: string | undefined,
    options: AddOptions,
  ): Awaitable<readonly StoredMessage[]> {
    if (this.#closed) throw storeClosed();
    refuseUnknownKeys(options, ADD_KEYS, "add");
    if (options.lease !== undefined && this.leases === undefined) throw noLeases();
    if (options.spent !== undefined && this.limits === undefined) throw noLimits();
    const id = userIdOf(userId);
    const sessionId = sessionIdOf(options);
    const time = this.#now();
    const rows = validateMessages(messages, { sessionId, createdAt: this.#isoOf(time) });
    const outcome: Awaitable<CommitOutcome> = this.#store.write({
      userId: id,
      sessionId,
      messages: rows,
      newRunId: rows[0]?.runId ?? newRunId(),
      state: encodePatch(options.state),
      expected: encodePatch(options.expected),
      replaceRun: replaceRunOf(options, rows),
      generation: options.generation,
      total: options.total,
      lease: options.lease,
      spent: options.spent && checkedSpent(options.spent),
      contents: this.#contentsOf(rows, options),
      time,
    });
    return outcome instanceof Promise
      ? outcome.then((result) => storedOrThrow(result, id))
      : storedOrThrow(outcome, id);
  }

  /** Undefined for messages without attachments. */
  #contentsOf(rows: readonly NewRow[], { contents }: AddOptions): Contents | undefined {
    if (!haveAttachments(rows)) return undefined;
    if (this.attachments === undefined) throw noAttachments();
    return checkedContents(rows, contents);
  }

  #countsOf(userId: UserId, sessionId: SessionId | undefined): Awaitable<CountsRow> {
    const store = this.#store;
    if (store.counts !== undefined) return store.counts(userId, { sessionId });
    return andThen(store.sessions(userId), (rows) => sumOf(rows, sessionId));
  }

  #read(userId: string | undefined, options: ReadOptions): Awaitable<Snapshot> {
    if (this.#closed) throw storeClosed();
    refuseUnknownKeys(options, READ_KEYS, "read");
    const sessionId = sessionIdOf(options);
    return this.#store.read(userIdOf(userId), {
      sessionId,
      limit: countOf(options.limit, "limit"),
    });
  }

  /** Calls `work` unless the memory is closed. Throws or rejects, as the store does. */
  #call<T>(work: () => Awaitable<T>): Answer<AtOnce, T> {
    if (!this.#store.atOnce) return this.#callAsync(work) as Answer<AtOnce, T>;
    if (this.#closed) throw storeClosed();
    return work() as Answer<AtOnce, T>;
  }

  async #callAsync<T>(work: () => Awaitable<T>): Promise<T> {
    if (this.#closed) throw storeClosed();
    // Without `await`, a promise that is returned takes two more turns.
    return await work();
  }

  /** Many adds share a millisecond, and formatting a time costs as much as the rest of an add. */
  #isoOf(time: number): string {
    if (time !== this.#latest.time) this.#latest = { time, iso: new Date(time).toISOString() };
    return this.#latest.iso;
  }
}

const ERRORS = {
  HISTORY_CLEARED: historyCleared,
  STATE_CONFLICT: stateConflict,
  RUN_CONFLICT: runConflict,
  LEASE_LOST: leaseLost,
};

function storedOrThrow(outcome: CommitOutcome, userId: UserId): readonly StoredMessage[] {
  if (typeof outcome !== "string") return outcome;
  throw ERRORS[outcome](userId);
}

const copyFrozen = (messages: readonly StoredMessage[]): StoredMessage[] =>
  messages.map((message) => (Object.isFrozen(message) ? copyMessage(message) : message));

/** A copy that shares no mutable value with the message. */
function copyMessage(message: StoredMessage): StoredMessage {
  const copy = { ...message } as { -readonly [Key in keyof StoredMessage]: StoredMessage[Key] };
  if (copy.usage !== undefined) copy.usage = { ...copy.usage };
  if (message.role === "user" && message.attachments !== undefined)
    return {
      ...message,
      ...copy,
      role: "user",
      attachments: message.attachments.map((attachment) => ({ ...attachment })),
    };
  if (message.role !== "assistant" || message.toolCalls === undefined) return copy as StoredMessage;
  return {
    ...message,
    ...copy,
    role: "assistant",
    toolCalls: message.toolCalls.map((call) => ({ ...call })),
  };
}

const withIsoTimes = <Row extends { readonly lastActivity: number }>(
  rows: readonly Row[],
): (Omit<Row, "lastActivity"> & { lastActivity: string })[] =>
  rows.map((row) => ({ ...row, lastActivity: new Date(row.lastActivity).toISOString() }));
