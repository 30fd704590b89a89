import type { SessionId, UserId } from "../../../ids.js";
import type { StoredMessage } from "../../../messages.js";
import { ClearLog } from "../../clear-log.js";
import { sumOf } from "../../counts.js";
import { dayOf } from "../../limits.js";
import type { Deleted, DeletedUsers, Snapshot } from "../../memory.js";
import { decodeState } from "../../state.js";
import type {
  At,
  Commit,
  CommitOutcome,
  CountsRow,
  IdleSince,
  InSession,
  Page,
  SessionRow,
  SessionRowWithState,
  Store,
  StoreAttachments,
  Sweep,
  UserCount,
  UserRow,
  Window,
} from "../../store.js";
import { InMemoryEdits } from "./in-memory-edits.js";
import { InMemoryLimits } from "./in-memory-limits.js";
import { InMemoryTokens } from "./in-memory-tokens.js";
import { SessionHistory } from "./session-history.js";
import { UserHistory } from "./user-history.js";

/** Keeps rows in this process. Each user keeps at most `maxMessages` messages; see `InMemory`. */
export class InMemoryStore implements Store<true> {
  readonly atOnce = true;
  readonly #maxMessages: number;
  #users = new Map<UserId, UserHistory>();
  readonly #clears = new ClearLog();
  readonly tokens = new InMemoryTokens();
  readonly limits = new InMemoryLimits({
    read: (userId, window) => this.read(userId, window),
    bytesOf: (userId) => this.#users.get(userId)?.bytes ?? 0,
  });

  readonly edits = new InMemoryEdits({
    userOf: (userId) => this.#users.get(userId),
    remove: (userId, user, session) => this.#remove(userId, user, session),
    clears: this.#clears,
  });
  readonly attachments: StoreAttachments = {
    read: (userId, hashes) => this.#users.get(userId)?.contentsOf(hashes) ?? new Map(),
  };

  constructor(maxMessages: number) {
    this.#maxMessages = maxMessages;
  }

  read(userId: UserId, { sessionId, limit }: Window): Snapshot {
    const session = this.#users.get(userId)?.sessions.get(sessionId);
    return {
      messages: session?.window(limit) ?? [],
      state: decodeState(session?.state),
      total: session?.total ?? 0,
      generation: this.#clears.generation,
    };
  }

  write(commit: Commit): CommitOutcome {
    const outcome = this.#write(commit);
    const { userId, spent, time } = commit;
    if (spent !== undefined && typeof outcome !== "string")
      this.limits.settle(userId, { ...spent, time });
    return outcome;
  }

  #write(commit: Commit): CommitOutcome {
    const { userId, sessionId, messages, time } = commit;
    const known = this.#users.get(userId);
    const knownSession = known?.sessions.get(sessionId);
    const { created, total = 0 } = knownSession ?? {};
    if ((commit.total ?? total) !== total) return "RUN_CONFLICT";
    const { generation } = this.#clears;
    if (commit.generation !== generation && this.#clears.wasCleared({ ...commit, created }))
      return "HISTORY_CLEARED";
    if (hasOtherState(knownSession, commit)) return "STATE_CONFLICT";
    if (commit.replaceRun !== undefined && commit.replaceRun !== knownSession?.lastTurn?.runId)
      return "RUN_CONFLICT";
    if (messages.length === 0 && commit.state.length === 0) return [];

    const user = known ?? new UserHistory(this.#maxMessages);
    const session = knownSession ?? new SessionHistory(sessionId, generation);
    this.#users.set(userId, user);
    user.sessions.set(sessionId, session);
    user.lastActivity = Math.max(user.lastActivity, time);
    session.lastActivity = Math.max(session.lastActivity, time);
    if (commit.state.length > 0) changeState(session, commit, user.nextId);
    if (commit.replaceRun !== undefined) user.removeLastRun(session, commit.replaceRun);
    if (messages.length > 0) session.latestRunId ??= commit.newRunId;
    const stored = user.append(session, messages);
    if (commit.contents !== undefined) user.keepContents(commit.contents);
    if (stored.length === 0 && session.isEmpty) this.#remove(userId, user, session);
    return stored;
  }

  page(userId: UserId, { sessionId, ...page }: Page & InSession): readonly StoredMessage[] {
    return this.#historyOf(userId, sessionId)?.page(page) ?? [];
  }

  size(userId: UserId, { sessionId }: InSession): number {
    return this.#historyOf(userId, sessionId)?.size ?? 0;
  }

  sessions(userId: UserId, { limit }: Pick<Page, "limit"> = { limit: Infinity }): SessionRow[] {
    return [...(this.#users.get(userId)?.sessions.values() ?? [])]
      .sort((left, right) => right.lastActivity - left.lastActivity)
      .slice(0, limit)
      .map(rowOf);
  }

  counts(userId: UserId, { sessionId }: InSession): CountsRow {
    const sessions = this.#users.get(userId)?.sessions;
    if (sessionId === undefined) return sumOf([...(sessions?.values() ?? [])].map(rowOf));
    const session = sessions?.get(sessionId);
    return sumOf(session === undefined ? [] : [session.row]);
  }

  async *sessionsById(userId: UserId): AsyncGenerator<readonly SessionRowWithState[]> {
    const { sessionsById } = await import("./sessions-by-id.js");
    yield* sessionsById(() => this.#users.get(userId));
  }

  users({ limit = Infinity }: Partial<Pick<Page, "limit">> = {}): UserRow[] {
    return [...this.#users]
      .sort(([, left], [, right]) => right.lastActivity - left.lastActivity)
      .slice(0, limit)
      .map(([userId, user]) => ({
        userId,
        sessions: user.sessions.size,
        messages: user.size,
        lastActivity: user.lastActivity,
      }));
  }

  delete(userId: UserId, { sessionId, time }: InSession & At): Deleted {
    const user = this.#users.get(userId);
    const session = sessionId === undefined ? undefined : user?.sessions.get(sessionId);
    if (user === undefined || (sessionId !== undefined && session === undefined))
      return { messages: 0, sessions: 0 };
    const deleted =
      session === undefined
        ? { messages: user.size, sessions: user.sessions.size }
        : { messages: session.size, sessions: 1 };
    if (session === undefined) this.#users.delete(userId);
    else this.#remove(userId, user, session);
    this.limits.forgetBefore(dayOf(time) - 1);
    this.#clears.record(userId, { sessionId, time });
    return deleted;
  }

  countUsers({ idleSince }: IdleSince): UserCount {
    let idle = 0;
    for (const { lastActivity } of this.#users.values()) if (lastActivity < idleSince) idle += 1;
    return { users: this.#users.size, idle };
  }

  deleteIdle({ idleSince, except, time }: Sweep): DeletedUsers {
    const idle = [...this.#users].filter(
      ([userId, user]) => user.lastActivity < idleSince && !except.has(userId),
    );
    for (const [userId] of idle) {
      this.#users.delete(userId);
      this.#clears.record(userId, { sessionId: undefined, time });
    }
    this.limits.forgetBefore(dayOf(time) - 1);
    return tally(idle.map(([, user]) => user));
  }

  deleteAll(): DeletedUsers {
    const deleted = tally(this.#users.values());
    if (deleted.users > 0) this.#clears.recordAll();
    this.#users = new Map();
    return deleted;
  }

  close(): void {
    this.#users = new Map();
  }

  #historyOf(
    userId: UserId,
    sessionId: SessionId | undefined,
  ): UserHistory | SessionHistory | undefined {
    const user = this.#users.get(userId);
    return sessionId === undefined ? user : user?.sessions.get(sessionId);
  }

  #remove(userId: UserId, user: UserHistory, session: SessionHistory): void {
    user.remove(session);
    if (user.sessions.size === 0) this.#users.delete(userId);
  }
}

const rowOf = ({ row }: SessionHistory): SessionRow => row;

/** Whether the session lacks an expected value. */
function hasOtherState(session: SessionHistory | undefined, { expected }: Commit): boolean {
  return expected.length > 0 && expected.some(([key, json]) => session?.state.get(key) !== json);
}

/** @param id The id that the commit's first message gets. */
function changeState(session: SessionHistory, { state, messages }: Commit, id: number): void {
  if (messages.length > 0) session.noteChanges(id, state);
  for (const [key, json] of state) session.setState(key, json);
}

function tally(users: Iterable<UserHistory>): DeletedUsers {
  const deleted = { users: 0, sessions: 0, messages: 0 };
  for (const user of users) {
    deleted.users += 1;
    deleted.sessions += user.sessions.size;
    deleted.messages += user.size;
  }
  return deleted;
}
