import type { ExportOptions } from "../data/export-options.js";
import { UserExport } from "../data/user-export.js";
import type { UserId } from "../ids.js";
import { optionalSessionIdOf, sessionIdOf } from "../memory/arguments.js";
import { countsOf } from "../memory/counts.js";
import { noEdits, noSearch } from "../memory/failures.js";
import type {
  ClearBeforeOptions,
  Counts,
  Deleted,
  Forked,
  ForkOptions,
  GetMessagesOptions,
  Memory,
  SearchOptions,
  SearchResult,
  SessionInfo,
  SessionOptions,
  SessionState,
  SessionsOptions,
  SessionWithState,
  Undone,
  UndoOptions,
} from "../memory/memory.js";
import {
  CLEAR_BEFORE_KEYS,
  FORK_KEYS,
  PAGE_KEYS,
  SEARCH_KEYS,
  SESSION_KEYS,
  SESSIONS_KEYS,
  UNDO_KEYS,
} from "../memory/option-keys.js";
import type { StoredMessage } from "../messages.js";
import { refuseUnknownKeys } from "../options.js";
import type { RunOutput } from "./events.js";
import type { NextRequest } from "./next-request.js";
import { RunStream } from "./run-stream.js";
import { RUN_KEYS, type Runner, type UserRunOptions } from "./runner.js";

/**
 * An agent and its memory as one user sees them. Nothing of another user can be reached.
 * @example
 * const agent = new Agent({ model: new DemoModel() });
 * const alice = agent.forUser("alice");
 * await alice.run("My name is Alice", { sessionId: "work" });
 * console.log(await alice.size(), await alice.size({ sessionId: "home" })); // 2 0
 * console.log(await agent.forUser("bob").history()); // []
 */
export class UserView {
  /** Private, because a program could assign another id to a field. */
  readonly #userId: UserId;
  readonly #runner: Runner;

  /** @internal Use `agent.forUser`. */
  constructor(runner: Runner, userId: UserId) {
    this.#runner = runner;
    this.#userId = userId;
  }

  get userId(): UserId {
    return this.#userId;
  }

  /**
   * Answers one input. The run is stored whole or not at all. `content` is empty only if the model
   * added nothing after its tool calls; any other empty reply fails with `MODEL_BAD_RESPONSE`.
   * @throws {AgnoChatError} rejects with `USAGE`, `INVALID_…`, `BUSY`, `CANCELLED`,
   *   `HISTORY_CLEARED`, `MAX_LOOPS`, or with the failure of the model or the memory
   */
  run(input: string, options: UserRunOptions = {}): Promise<RunOutput> {
    try {
      refuseUnknownKeys(options, RUN_KEYS, "A run");
      return this.#runner.run(this.#userId, input, options);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  /**
   * As `run`, with the events as they happen. The run joins the queue at once, even if nobody
   * reads. If it is cancelled after text was shown, that text is stored and marked `interrupted`.
   * Never throws: the iterator does.
   */
  stream(input: string, options: UserRunOptions = {}): RunStream {
    try {
      refuseUnknownKeys(options, RUN_KEYS, "A run");
      return this.#runner.stream(this.#userId, input, options);
    } catch (thrown) {
      return RunStream.failed(thrown);
    }
  }

  /** The request the next message would produce, without that message. */
  async context(options: SessionOptions = {}): Promise<NextRequest> {
    refuseUnknownKeys(options, SESSION_KEYS, "context");
    return this.#runner.context(this.#userId, sessionIdOf(options));
  }

  /** As `memory.getMessages`: oldest first, of all sessions unless one is named. */
  async history(options: GetMessagesOptions = {}): Promise<StoredMessage[]> {
    refuseUnknownKeys(options, PAGE_KEYS, "history");
    return this.#memory.getMessages(this.#userId, options);
  }

  /** As `memory.size`. */
  async size(options: SessionOptions = {}): Promise<number> {
    refuseUnknownKeys(options, SESSION_KEYS, "size");
    return this.#memory.size(this.#userId, options);
  }

  /** As `memory.sessions`. */
  async sessions(options: SessionsOptions = {}): Promise<SessionInfo[]> {
    refuseUnknownKeys(options, SESSIONS_KEYS, "sessions");
    return this.#memory.sessions(this.#userId, options);
  }

  /** As `memory.counts`, also of a memory without it: of all sessions unless one is named. */
  async counts(options: SessionOptions = {}): Promise<Counts> {
    refuseUnknownKeys(options, SESSION_KEYS, "counts");
    return countsOf(this.#memory, this.#userId, options);
  }

  /** As `memory.sessionsById`, also of a memory without it. */
  async *sessionsById(): AsyncGenerator<readonly SessionWithState[]> {
    const { sessionPages } = await import("../data/session-pages.js");
    yield* sessionPages(this.#memory, this.#userId);
  }

  /**
   * As `memory.search`: of all sessions unless one is named.
   * @throws {AgnoChatError} rejects with `INVALID_INPUT`; `USAGE` for a memory that cannot search
   */
  async search(words: string, options: SearchOptions = {}): Promise<SearchResult> {
    refuseUnknownKeys(options, SEARCH_KEYS, "search");
    const memory = this.#memory;
    if (memory.search === undefined) throw noSearch();
    return memory.search(words, this.#userId, options);
  }

  /** As `memory.getState`. */
  async state(options: SessionOptions = {}): Promise<SessionState> {
    refuseUnknownKeys(options, SESSION_KEYS, "state");
    return this.#memory.getState(this.#userId, options);
  }

  /** All data of this user as text, or of one session if it is named. */
  export(options: ExportOptions = {}): UserExport {
    return new UserExport(this.#memory, this.#userId, options);
  }

  /** As `memory.clear`. A run under way ends with `HISTORY_CLEARED` and stores nothing. */
  async clear(options: SessionOptions = {}): Promise<Deleted> {
    refuseUnknownKeys(options, SESSION_KEYS, "clear");
    return this.#runner.clear(this.#userId, optionalSessionIdOf(options));
  }

  /** As `memory.edits.clearBefore`. */
  async clearBefore(options: ClearBeforeOptions): Promise<Deleted> {
    refuseUnknownKeys(options, CLEAR_BEFORE_KEYS, "clearBefore");
    const { edits } = this.#memory;
    if (edits === undefined) throw noEdits();
    return edits.clearBefore(this.#userId, options);
  }

  /** As `memory.edits.undo`, after the runs of the session that are under way or waiting. */
  async undo(options: UndoOptions = {}): Promise<Undone> {
    refuseUnknownKeys(options, UNDO_KEYS, "undo");
    const sessionId = sessionIdOf(options);
    return this.#runner.edit(this.#userId, sessionId, (edits) => edits.undo(this.#userId, options));
  }

  /** As `memory.edits.fork`, after the runs of the session that are under way or waiting. */
  async fork(options: ForkOptions): Promise<Forked> {
    refuseUnknownKeys(options, FORK_KEYS, "fork");
    const sessionId = sessionIdOf(options);
    return this.#runner.edit(this.#userId, sessionId, (edits) => edits.fork(this.#userId, options));
  }

  get #memory(): Memory {
    return this.#runner.parts.memory;
  }
}
