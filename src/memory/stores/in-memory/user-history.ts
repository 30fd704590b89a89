import type { SessionId } from "../../../ids.js";
import { type Contents, hashesOf, type StoredMessage } from "../../../messages.js";
import { byId, cutToPage } from "../../order.js";
import type { NewRow, Page } from "../../store.js";
import { type SessionHistory, slicePage, type TrackedRun } from "./session-history.js";

/** The sessions of one user in this process, trimmed to `maxMessages` messages in total. */
export class UserHistory {
  readonly sessions = new Map<SessionId, SessionHistory>();
  nextId = 1;
  size = 0;
  lastActivity = Number.NEGATIVE_INFINITY;
  readonly #maxMessages: number;
  /** A field, because V8 calls its runtime for a private getter. */
  readonly #isLimited: boolean;
  /**
   * Runs by their latest message, oldest first. A run that continued is listed again; only its last
   * entry counts. Empty without a limit.
   */
  #runs: TrackedRun[] = [];
  #firstRun = 0;
  /**
   * The messages of all sessions, oldest first, since a page of them would otherwise ask every
   * session. Undefined until a page is read, and after messages were removed.
   */
  #ordered: StoredMessage[] | undefined;
  /** Contents of attachments by hash; undefined until there are some. */
  #contents: Map<string, Uint8Array> | undefined;

  constructor(maxMessages: number) {
    this.#maxMessages = maxMessages;
    this.#isLimited = maxMessages !== Infinity;
  }

  get bytes(): number {
    let bytes = 0;
    for (const session of this.sessions.values()) bytes += session.bytes;
    return bytes;
  }

  /** Completes and freezes the rows in place, so that no message is copied. */
  append(session: SessionHistory, rows: readonly NewRow[]): readonly StoredMessage[] {
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index] as NewRow;
      row.id = this.nextId + index;
      row.runId ??= session.latestRunId;
      const message = Object.freeze(row) as StoredMessage;
      session.push(message);
      this.#ordered?.push(message);
      if (this.#isLimited && message.role !== "system")
        this.#track(session, message.role === "user");
    }
    this.nextId += rows.length;
    this.size += rows.length;
    if (this.#isLimited) this.#trim();
    return rows as readonly StoredMessage[];
  }

  /** Removes the messages of this run from the end of the session. Its system messages stay. */
  removeLastRun(session: SessionHistory, runId: string): void {
    this.#removeLast(session, (turn) => turn.runId === runId);
  }

  /** The same for all messages above an id. Returns how many there were. */
  removeTurnsAfter(session: SessionHistory, id: number): number {
    const count = this.#removeLast(session, (turn) => turn.id > id);
    session.latestRunId = session.lastTurn?.runId;
    return count;
  }

  /** Removes the turns of these runs from the session. Its system messages stay. */
  removeRuns(session: SessionHistory, runs: ReadonlySet<string>): void {
    const tracked = this.#runs.slice(this.#firstRun);
    const own = new Set(tracked.filter((run) => run.session === session));
    const { turns } = session;
    let end = 0;
    for (const run of own) {
      const part = turns.slice(end, end + run.messages);
      end += run.messages;
      run.messages = part.filter(({ runId }) => !runs.has(runId)).length;
    }
    this.size -= session.size;
    session.removeRuns(runs);
    this.#ordered = undefined;
    this.size += session.size;
    this.#runs = tracked.filter(({ messages }) => messages > 0);
    this.#firstRun = 0;
    session.latestRun = [...own].findLast(({ messages }) => messages > 0);
    this.#dropUnusedContents();
  }

  #removeLast(session: SessionHistory, gone: (turn: StoredMessage) => boolean): number {
    const runs = this.#runs.slice(this.#firstRun);
    const own = runs.filter((run) => run.session === session);
    const removed = session.removeLast(gone);
    this.#ordered = undefined;
    this.size -= removed;
    let count = removed;
    for (const run of own.reverse()) {
      const part = Math.min(count, run.messages);
      run.messages -= part;
      count -= part;
    }
    this.#runs = runs.filter(({ messages }) => messages > 0);
    this.#firstRun = 0;
    session.latestRun = own.find(({ messages }) => messages > 0);
    this.#dropUnusedContents();
    return removed;
  }

  /** Keeps those that the messages name, which were appended before. */
  keepContents(contents: Contents): void {
    this.#contents ??= new Map();
    for (const [hash, content] of contents)
      if (!this.#contents.has(hash)) this.#contents.set(hash, new Uint8Array(content));
    // Those that came with it may have trimmed a message at once.
    if (this.#isLimited) this.#dropUnusedContents();
  }

  /** Copies of those with these hashes. */
  contentsOf(hashes: readonly string[]): Contents {
    const contents = new Map<string, Uint8Array>();
    for (const hash of hashes) {
      const content = this.#contents?.get(hash);
      if (content !== undefined) contents.set(hash, new Uint8Array(content));
    }
    return contents;
  }

  /** Looks at every message of the user, but only of one who has attachments. */
  #dropUnusedContents(): void {
    if (this.#contents === undefined) return;
    const used = new Set(
      [...this.sessions.values()].flatMap((session) => hashesOf(session.window(Infinity))),
    );
    for (const hash of this.#contents.keys()) if (!used.has(hash)) this.#contents.delete(hash);
    if (this.#contents.size === 0) this.#contents = undefined;
  }

  /** A page of all sessions, oldest first. */
  page(page: Page): readonly StoredMessage[] {
    const [only] = this.sessions.values();
    if (only !== undefined && this.sessions.size === 1) return only.page(page);
    this.#ordered ??= [...this.sessions.values()]
      .flatMap((session) => session.window(Infinity))
      .sort(byId);
    return cutToPage(slicePage(this.#ordered, 0, page), page);
  }

  /** Removes a session with everything in it. */
  remove(session: SessionHistory): void {
    this.sessions.delete(session.sessionId);
    this.#ordered = undefined;
    this.size -= session.size;
    this.#runs = this.#runs.slice(this.#firstRun).filter((run) => run.session !== session);
    this.#firstRun = 0;
    this.#dropUnusedContents();
  }

  #track(session: SessionHistory, isNewRun: boolean): void {
    if (isNewRun || session.latestRun === undefined)
      session.latestRun = { session, messages: 0, queued: 0 };
    const run = session.latestRun;
    run.messages += 1;
    if (this.#runs[this.#runs.length - 1] === run) return;
    run.queued += 1;
    this.#runs.push(run);
  }

  #trim(): void {
    const before = this.size;
    while (this.size > this.#maxMessages && this.#firstRun < this.#runs.length - 1) {
      const run = this.#runs[this.#firstRun] as TrackedRun;
      this.#firstRun += 1;
      run.queued -= 1;
      if (run.queued === 0) this.#drop(run);
    }
    if (this.size < before) this.#dropUnusedContents();
    if (2 * this.#firstRun < this.#runs.length) return;
    this.#runs = this.#runs.slice(this.#firstRun);
    this.#firstRun = 0;
  }

  #drop(run: TrackedRun): void {
    const { session, messages } = run;
    if (session.latestRun === run) session.latestRun = undefined;
    session.dropOldest(messages);
    this.#ordered = undefined;
    this.size -= messages;
    if (session.isEmpty) this.sessions.delete(session.sessionId);
  }
}
