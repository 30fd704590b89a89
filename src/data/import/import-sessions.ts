import { type SessionId, type UserId, validateSessionId } from "../../ids.js";
import type { Memory } from "../../memory/memory.js";
import { readBatches } from "../read-batches.js";
import { sessionPages } from "../session-pages.js";
import type { Batch, ImportedRun, ImportTally } from "./conversation.js";

/** A session that a conversation goes into. */
export class ImportSession {
  readonly sessionId: SessionId;
  /** Whether this import makes it. */
  readonly isNew: boolean;
  /** How many messages this import has added. */
  added = 0;
  /** How it counts; undefined until it does. */
  outcome: "imported" | "extended" | "present" | undefined;
  /** Whether more of the conversation may come. */
  isPart = false;
  readonly #known: Set<string>;
  /** The run that the session ended with when the import began. */
  readonly #last: string | undefined;
  #isPastLast: boolean;

  constructor(sessionId: SessionId, known: Iterable<string>) {
    this.sessionId = sessionId;
    this.#known = new Set(known);
    this.#last = [...this.#known].at(-1);
    this.isNew = this.#known.size === 0;
    this.#isPastLast = this.isNew;
  }

  /**
   * The runs that the session does not have. A missing one before its last run was deleted here, or
   * the conversation went on here: then it stays as it is.
   */
  missing({ runs, isPart }: Batch, tally: ImportTally): readonly ImportedRun[] {
    return runs.filter(({ runId }) => {
      if (this.#known.has(runId)) {
        this.#isPastLast ||= runId === this.#last;
        return false;
      }
      if (!this.#isPastLast) tally.leaveOut("run that was changed or deleted here");
      // An archive may hold a conversation twice. A part may go on with a run of an earlier one.
      else if (!isPart) this.#known.add(runId);
      return this.#isPastLast;
    });
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
    const key = batch.mark ?? batch.name;
    const found = this.#byName.get(key) ?? (await this.#find(batch));
    this.#byName.set(key, found);
    return found;
  }

  async #find({ name, mark, runs }: Batch): Promise<ImportSession> {
    this.#taken ??= await this.#takenNames();
    const taken = this.#taken;
    for (const sessionId of [...taken].filter((each) => isNamed(each, { name, mark }))) {
      const known = await this.#runsOf(sessionId);
      if (runs.some(({ runId }) => known.has(runId)))
        return new ImportSession(validateSessionId(sessionId), known);
    }
    let free = name;
    for (let number = 2; taken.has(free); number += 1) free = `${name}-${number}`;
    taken.add(free);
    return new ImportSession(validateSessionId(free), []);
  }

  async #takenNames(): Promise<Set<string>> {
    const names = new Set<string>();
    for await (const page of sessionPages(this.#memory, this.#userId))
      for (const { sessionId } of page) names.add(sessionId);
    return names;
  }

  /** In the order of the runs. */
  async #runsOf(sessionId: string): Promise<Set<string>> {
    const known = new Set<string>();
    const read = (options: object) =>
      this.#memory.getMessages(this.#userId, { ...options, sessionId });
    for await (const page of readBatches(read, { after: 0 }))
      for (const { runId } of page) known.add(runId);
    return known;
  }
}

/** The mark at the end; the name; or the name and a number, as if the name was taken. */
const isNamed = (
  sessionId: string,
  { name, mark }: { readonly name: string; readonly mark: string | undefined },
): boolean =>
  (mark !== undefined && sessionId.endsWith(mark)) ||
  (sessionId.startsWith(name) && /^(-\d+)?$/.test(sessionId.slice(name.length)));
