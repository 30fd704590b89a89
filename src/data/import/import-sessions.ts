import { isDeepStrictEqual } from "node:util";
import { type SessionId, type UserId, validateSessionId } from "../../ids.js";
import type { Memory, SessionState } from "../../memory/memory.js";
import { readBatches } from "../read-batches.js";
import { sessionPages } from "../session-pages.js";
import type { Batch, ImportedRun } from "./conversation.js";

/** What a session holds. */
interface Held {
  readonly runs: Set<string>;
  /** The latest of them. */
  readonly last: string | undefined;
  /** As in `Snapshot`. */
  readonly total: number;
  readonly state: SessionState;
}

const nothing = (): Held => ({ runs: new Set(), last: undefined, total: 0, state: {} });

/** A session that a conversation goes into. */
export class ImportSession {
  readonly sessionId: SessionId;
  /** Whether this import makes it. */
  readonly isNew: boolean;
  /** How many messages this import has added. */
  added = 0;
  /** As in `Snapshot`, unless somebody else adds to the session. */
  total: number;
  /** How it counts; undefined until it does. */
  outcome: "imported" | "extended" | "present" | undefined;
  /** Whether more of the conversation may come. */
  isPart = false;
  #held: Held;
  #isPastLast: boolean;
  /** The last run of the batches before. */
  #latest: string | undefined;

  /** `found`: what it holds, if an earlier import has made it. */
  constructor(sessionId: SessionId, found?: Held) {
    const held = found ?? nothing();
    this.sessionId = sessionId;
    this.total = held.total;
    this.#held = held;
    this.isNew = found === undefined;
    this.#isPastLast = held.last === undefined;
  }

  /**
   * The runs that the session does not have. One before its last run was deleted here, or the
   * conversation went on here: such runs are left out, so that it stays as it is.
   */
  missing(runs: readonly ImportedRun[]): { missing: readonly ImportedRun[]; leftOut: number } {
    const missing: ImportedRun[] = [];
    let leftOut = 0;
    for (const run of runs) {
      if (run.runId === this.#held.last) this.#isPastLast = true;
      if (this.#held.runs.has(run.runId)) continue;
      if (this.#isPastLast) missing.push(run);
      else leftOut += 1;
    }
    return { missing, leftOut };
  }

  /** Notes that a batch is done, of which so many messages were missing. */
  took({ runs, isPart = false }: Batch, messages: number): void {
    this.added += messages;
    this.total += messages;
    this.isPart = isPart;
    this.#latest = runs.at(-1)?.runId ?? this.#latest;
    // An archive may hold a conversation twice. A part may go on with a run of an earlier one.
    if (!isPart) for (const { runId } of runs) this.#held.runs.add(runId);
  }

  /** Goes on from what the session holds now that somebody else has changed it. */
  goOnFrom(held: Held): void {
    this.total = held.total;
    this.#held = held;
    this.#isPastLast = held.last === this.#latest;
  }
}

/** Finds the session of each conversation: the one that it became before, or else a new one. */
export class ImportSessions {
  readonly #memory: Memory;
  readonly #userId: UserId;
  readonly #byName = new Map<string, ImportSession>();
  #taken: Set<string> | undefined;

  constructor(memory: Memory, userId: UserId) {
    this.#memory = memory;
    this.#userId = userId;
  }

  get all(): readonly ImportSession[] {
    return [...this.#byName.values()];
  }

  async of(batch: Batch): Promise<ImportSession> {
    const found = this.#byName.get(keyOf(batch)) ?? (await this.#find(batch));
    this.#byName.set(keyOf(batch), found);
    return found;
  }

  /** After somebody else has added to the session of this batch, or has made it first. */
  async lookAgain(batch: Batch): Promise<void> {
    const session = await this.of(batch);
    if (session.added > 0 || !session.isNew)
      session.goOnFrom(await this.#heldBy(session.sessionId));
    else this.#byName.delete(keyOf(batch));
  }

  async #find(batch: Batch): Promise<ImportSession> {
    const { name, mark } = batch;
    this.#taken ??= await this.#takenNames();
    const taken = this.#taken;
    for (const sessionId of [...taken].filter((each) => isNamed(each, { name, mark }))) {
      const held = await this.#heldBy(sessionId);
      if (holds(held, batch)) return new ImportSession(validateSessionId(sessionId), held);
    }
    let free = name;
    for (let number = 2; taken.has(free); number += 1) free = `${name}-${number}`;
    taken.add(free);
    return new ImportSession(validateSessionId(free));
  }

  async #takenNames(): Promise<Set<string>> {
    const names = new Set<string>();
    for await (const page of sessionPages(this.#memory, this.#userId))
      for (const { sessionId } of page) names.add(sessionId);
    return names;
  }

  /** The total is read first: what is added in between shows when something is added here. */
  async #heldBy(sessionId: string): Promise<Held> {
    const { total, state } = await this.#memory.read(this.#userId, { sessionId, limit: 0 });
    const runs = new Set<string>();
    const read = (options: object) =>
      this.#memory.getMessages(this.#userId, { ...options, sessionId });
    for await (const page of readBatches(read, { after: 0 }))
      for (const { runId } of page) runs.add(runId);
    return { runs, last: [...runs].at(-1), total, state };
  }
}

const keyOf = ({ mark, name }: Batch): string => mark ?? name;

/** A session of state alone is known by that state. */
const holds = (held: Held, { runs, state = {} }: Batch): boolean =>
  runs.length === 0
    ? isDeepStrictEqual(plain(held.state), plain(state))
    : runs.some(({ runId }) => held.runs.has(runId));

/** With the prototypes of JSON, which are compared too. */
const plain = (state: SessionState): unknown => JSON.parse(JSON.stringify(state));

/** The mark at the end; the name; or the name and a number, as if the name was taken. */
const isNamed = (
  sessionId: string,
  { name, mark }: { readonly name: string; readonly mark: string | undefined },
): boolean =>
  (mark !== undefined && sessionId.endsWith(mark)) ||
  (sessionId.startsWith(name) && /^(-\d+)?$/.test(sessionId.slice(name.length)));
