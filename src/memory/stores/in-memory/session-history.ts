import type { SessionId } from "../../../ids.js";
import type { StoredMessage } from "../../../messages.js";
import { bytesOf } from "../../measure.js";
import { byId, cutToPage } from "../../order.js";
import type { StateChange } from "../../state.js";
import type { NewRow, Page, SessionRow } from "../../store.js";
import { ChangeLog } from "./change-log.js";

/**
 * Measuring takes a tenth of a run, and few programs ask how many bytes a session has. But who asks
 * must not wait for a whole history, nor the run that comes when there are too many.
 */
const MOST_UNMEASURED = 64;

const NO_STATE: ReadonlyMap<string, string> = new Map();

/** Consecutive messages of a session that are dropped together. Counts no system messages. */
export interface TrackedRun {
  readonly session: SessionHistory;
  messages: number;
  /** How many entries it has in its user's queue of runs; see `UserHistory`. */
  queued: number;
}

/** The messages and the state of one session in this process. */
export class SessionHistory {
  readonly sessionId: SessionId;
  /** The store's generation when this session was created, or when runs were taken back last. */
  created: number;
  /** Undefined until a key is set, since most sessions have none. */
  #state: Map<string, string> | undefined;
  total = 0;
  /** Kept up to date with every change, so that reading it needs no scan. */
  runs = 0;
  lastActivity = Number.NEGATIVE_INFINITY;
  latestRun: TrackedRun | undefined;
  latestRunId: string | undefined;
  /** Undefined until there is one. */
  #system: StoredMessage[] | undefined;
  #turns: StoredMessage[] = [];
  /** How many messages at the start of `#turns` are dropped but not yet removed. */
  #dropped = 0;
  /** Of the messages up to the one with the id `#measuredTo`. */
  #bytes = 0;
  #measuredTo = 0;
  /** How many messages were added since. */
  #unmeasured = 0;
  /** What the last commits have changed of the state; undefined until there is one. */
  #changes: ChangeLog | undefined;

  constructor(sessionId: SessionId, created: number) {
    this.sessionId = sessionId;
    this.created = created;
  }

  get size(): number {
    return (this.#system?.length ?? 0) + this.#turns.length - this.#dropped;
  }

  /** Whether nothing is kept of the session. */
  get isEmpty(): boolean {
    return this.size === 0 && this.state.size === 0;
  }

  get row(): SessionRow {
    const { sessionId, size: messages, runs, bytes, lastActivity } = this;
    return { sessionId, messages, runs, bytes, lastActivity };
  }

  /** JSON text by key. */
  get state(): ReadonlyMap<string, string> {
    return this.#state ?? NO_STATE;
  }

  /** Undefined deletes the key. */
  setState(key: string, json: string | undefined): void {
    this.#state ??= new Map();
    if (json === undefined) this.#state.delete(key);
    else this.#state.set(key, json);
  }

  /** The last message, ignoring system messages. */
  get lastTurn(): StoredMessage | undefined {
    return this.#turns.length > this.#dropped ? this.#turns[this.#turns.length - 1] : undefined;
  }

  push(message: StoredMessage): void {
    if (message.role === "system") this.#pushSystem(message);
    else this.#turns.push(message);
    this.total += 1;
    this.latestRunId = message.runId;
    if (message.role === "user") this.runs += 1;
    this.#unmeasured += 1;
    if (this.#unmeasured > MOST_UNMEASURED) this.#measure();
  }

  #pushSystem(message: StoredMessage): void {
    this.#system ??= [];
    this.#system.push(message);
  }

  /** Keeps the values that these changes of the commit at message `id` replace. */
  noteChanges(id: number, changes: readonly StateChange[]): void {
    this.#changes ??= new ChangeLog();
    this.#changes.note(
      id,
      changes.map(([key]) => [key, this.state.get(key)]),
    );
  }

  /** Whether the state from before the first message above this id can be given back. */
  knowsStateAfter(id: number): boolean {
    return this.#changes === undefined || this.#changes.forgotten <= id;
  }

  restoreStateAfter(id: number): void {
    for (const [key, json] of this.#changes?.takeAfter(id) ?? []) this.setState(key, json);
  }

  /** The last runs: how many there are, at most `most`, and the message before them. */
  lastRuns(most: number): { readonly runs: number; readonly after: number } {
    let [runs, index, runId]: [number, number, string | undefined] = [0, this.#turns.length, ""];
    for (; index > this.#dropped; index -= 1) {
      const turn = this.#turns[index - 1] as StoredMessage;
      if (runs > 0 && turn.runId === runId) continue;
      if (runs === most) break;
      runs += 1;
      runId = turn.runId;
    }
    const first = this.#turns[index]?.id ?? 0;
    const system = this.#system?.findLast(({ id }) => id < first)?.id ?? 0;
    const turn = index > this.#dropped ? (this.#turns[index - 1] as StoredMessage).id : 0;
    return { runs, after: Math.max(system, turn) };
  }

  /** Removes the last turns as long as they are `gone`, and returns how many there were. */
  removeLast(gone: (turn: StoredMessage) => boolean): number {
    let count = 0;
    for (let turn = this.lastTurn; turn !== undefined && gone(turn); turn = this.lastTurn) {
      this.#turns.pop();
      this.#discount(turn);
      count += 1;
    }
    this.total -= count;
    return count;
  }

  /** The turns, oldest first. */
  get turns(): readonly StoredMessage[] {
    return this.#turns.slice(this.#dropped);
  }

  /** The runs of which all turns are from before this time. */
  runsBefore(time: number): ReadonlySet<string> {
    const old = new Set(this.turns.map(({ runId }) => runId));
    for (const { runId, createdAt } of this.turns)
      if (Date.parse(createdAt) >= time) old.delete(runId);
    return old;
  }

  /** Removes the turns of these runs. They still count as added to the session. */
  removeRuns(runs: ReadonlySet<string>): void {
    const before = this.turns;
    for (const turn of before) if (runs.has(turn.runId)) this.#discount(turn);
    this.#turns = before.filter(({ runId }) => !runs.has(runId));
    this.#dropped = 0;
    if (runs.has(this.latestRunId ?? "")) this.latestRunId = this.lastTurn?.runId;
    this.#changes?.drop(
      (id) => runs.has(before[countBelow(before, id)]?.runId ?? ""),
      (id) => this.window(Infinity).findLast((message) => message.id <= id)?.id ?? 0,
    );
  }

  /** Copies everything but the messages into an empty session, and returns copies of those. */
  copyTo(session: SessionHistory, firstId: number): NewRow[] {
    const messages = this.window(Infinity);
    // Messages that are gone count as the next one, so that the order stays.
    const idOf = (id: number) => firstId + countBelow(messages, id);
    for (const [key, json] of this.state) session.setState(key, json);
    session.#changes = this.#changes?.copy(idOf);
    return messages.map((message) => ({ ...message, id: 0, sessionId: session.sessionId }));
  }

  dropOldest(count: number): void {
    for (const message of this.#turns.slice(this.#dropped, this.#dropped + count))
      this.#discount(message);
    this.#dropped += count;
    this.#changes?.dropBefore(this.#turns[this.#dropped]?.id ?? Infinity);
    // Removing from the front moves the rest. Once half is dropped, that costs O(1) per message.
    if (2 * this.#dropped < this.#turns.length) return;
    this.#turns = this.#turns.slice(this.#dropped);
    this.#dropped = 0;
  }

  get bytes(): number {
    if (this.#unmeasured > 0) this.#measure();
    return this.#bytes;
  }

  #measure(): void {
    const system = this.#system ?? [];
    const after = this.#measuredTo + 1;
    const turns = this.#turns.slice(Math.max(this.#dropped, countBelow(this.#turns, after)));
    for (const message of system.slice(countBelow(system, after)).concat(turns)) {
      this.#bytes += bytesOf(message);
      this.#measuredTo = Math.max(this.#measuredTo, message.id);
    }
    this.#unmeasured = 0;
  }

  #discount(message: StoredMessage): void {
    if (message.role === "user") this.runs -= 1;
    if (message.id <= this.#measuredTo) this.#bytes -= bytesOf(message);
  }

  /** Every system message and the last `limit` others, oldest first. */
  window(limit: number): StoredMessage[] {
    const start = Math.max(this.#dropped, this.#turns.length - limit);
    return inOrder(this.#system, this.#turns.slice(start));
  }

  /** One page, oldest first. */
  page(page: Page): readonly StoredMessage[] {
    const system = slicePage(this.#system ?? [], 0, page);
    return cutToPage(inOrder(system, slicePage(this.#turns, this.#dropped, page)), page);
  }
}

/** The page of `messages`, ignoring those before index `first`. */
export function slicePage(
  messages: readonly StoredMessage[],
  first: number,
  { limit, before, after }: Page,
): StoredMessage[] {
  const start = Math.max(first, after === undefined ? 0 : countBelow(messages, after + 1));
  const end = Math.max(start, countBelow(messages, before));
  if (after === undefined) return messages.slice(Math.max(start, end - limit), end);
  return messages.slice(start, Math.min(end, start + limit));
}

function inOrder(
  system: readonly StoredMessage[] | undefined,
  turns: StoredMessage[],
): StoredMessage[] {
  if (system === undefined || system.length === 0) return turns;
  const messages = system.concat(turns);
  const [firstTurn] = turns;
  const lastSystem = system[system.length - 1] as StoredMessage;
  return firstTurn === undefined || lastSystem.id < firstTurn.id ? messages : messages.sort(byId);
}

/** Counts the messages with an id below `before` by binary search; ids ascend. */
function countBelow(messages: readonly StoredMessage[], before: number): number {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((messages[middle] as StoredMessage).id < before) low = middle + 1;
    else high = middle;
  }
  return low;
}
