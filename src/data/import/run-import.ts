import { AgnoChatError } from "../../errors.js";
import { type UserId, validateSessionId, validateUserId } from "../../ids.js";
import { jsonBytes } from "../../memory/measure.js";
import type { AddOptions, Memory } from "../../memory/memory.js";
import type { Contents, NewMessage } from "../../messages.js";
import { type Batch, type ImportedRun, ImportTally } from "./conversation.js";
import { detectedFormat, type ImportFormat, READERS } from "./formats.js";
import type { Imported, ImportOptions } from "./import-options.js";
import { type ImportSession, ImportSessions } from "./import-sessions.js";
import { jsonPieces } from "./json-pieces.js";
import { importRecords } from "./records.js";

/** `importHistory`, which loads this. */
export async function runImport(
  memory: Memory,
  userId: string,
  texts: AsyncIterable<string> | Iterable<string>,
  options: ImportOptions,
): Promise<Imported> {
  const user = validateUserId(userId);
  const sessionId =
    options.sessionId === undefined ? undefined : validateSessionId(options.sessionId);
  const tally = new ImportTally();
  const pieces = importRecords(jsonPieces(asAsync(texts)));
  const { format, records } =
    options.format === undefined
      ? await detectedFormat(pieces)
      : { format: options.format, records: pieces };
  const work = new Import(memory, user, { ...options, format, tally });
  try {
    for await (const batch of READERS[format](records, { tally, sessionId }))
      await work.take(batch);
  } catch (thrown) {
    await work.takeBack();
    throw thrown;
  }
  return work.outcome;
}

interface ImportParts extends ImportOptions {
  readonly format: ImportFormat;
  readonly tally: ImportTally;
}

class Import {
  readonly #memory: Memory;
  readonly #userId: UserId;
  readonly #parts: ImportParts;
  readonly #sessions: ImportSessions;
  readonly #counts = { imported: 0, extended: 0, present: 0 };
  #messages = 0;
  #bytesLeft: number | undefined;

  constructor(memory: Memory, userId: UserId, parts: ImportParts) {
    this.#memory = memory;
    this.#userId = userId;
    this.#parts = parts;
    this.#sessions = new ImportSessions(memory, userId);
  }

  get outcome(): Imported {
    const { format, tally } = this.#parts;
    const otherUser = tally.otherUser === this.#userId ? undefined : tally.otherUser;
    return {
      ...{ format, ...this.#counts, messages: this.#messages },
      leftOut: Object.fromEntries(tally.leftOut),
      ...(otherUser === undefined ? {} : { otherUser }),
    };
  }

  /** Looks again, as often as needed, if somebody else has added to the session meanwhile. */
  async take(batch: Batch): Promise<void> {
    while (!(await this.#taken(batch))) {
      this.#bytesLeft = undefined;
      await this.#sessions.lookAgain(batch);
    }
  }

  /** False if somebody else has added to the session; then nothing was stored or counted. */
  async #taken(batch: Batch): Promise<boolean> {
    const { signal, tally, onProgress } = this.#parts;
    signal?.throwIfAborted();
    const session = await this.#sessions.of(batch);
    const { missing, leftOut } = session.missing(batch.runs);
    const messages = missing.flatMap((run) => run.messages);
    const state = session.isNew ? batch.state : undefined;
    const isMore = messages.length > 0 || state !== undefined;
    if (isMore) {
      await this.#refuseTooMuch(messages);
      if (!(await this.#add(session, messages, { state, ...contentsOf(missing) }))) return false;
    }
    tally.leaveOut("run that was changed or deleted here", leftOut);
    this.#count(session, isMore);
    session.took(batch, messages.length);
    this.#messages += messages.length;
    if (isMore) onProgress?.(this.outcome);
    return true;
  }

  /** False if the session has another total than it was read with. */
  async #add(
    { sessionId, total }: ImportSession,
    messages: readonly NewMessage[],
    options: Pick<AddOptions, "state" | "contents">,
  ): Promise<boolean> {
    try {
      if (!this.#parts.dryRun)
        await this.#memory.add(messages, this.#userId, { ...options, sessionId, total });
      return true;
    } catch (thrown) {
      if (thrown instanceof AgnoChatError && thrown.code === "RUN_CONFLICT") return false;
      throw thrown;
    }
  }

  #count(session: ImportSession, hasGrown: boolean): void {
    const outcome = session.isNew ? "imported" : hasGrown ? "extended" : "present";
    if (session.outcome === outcome || session.outcome === "extended") return;
    if (session.outcome !== undefined) this.#counts[session.outcome] -= 1;
    this.#counts[outcome] += 1;
    session.outcome = outcome;
  }

  /** Removes the new sessions that hold a part of a conversation, and nothing else. */
  async takeBack(): Promise<void> {
    if (this.#parts.dryRun) return;
    for (const { isNew, isPart, sessionId, added } of this.#sessions.all) {
      if (!isNew || !isPart) continue;
      const hasOnlyThat = (await this.#memory.size(this.#userId, { sessionId })) === added;
      if (hasOnlyThat) await this.#memory.clear(this.#userId, { sessionId });
    }
  }

  async #refuseTooMuch(messages: readonly unknown[]): Promise<void> {
    const bytes = messages.reduce<number>((sum, each) => sum + jsonBytes(each), 0);
    this.#bytesLeft = (this.#bytesLeft ?? (await this.#mayKeep())) - bytes;
    if (this.#bytesLeft >= 0) return;
    throw new AgnoChatError("BUDGET", "The import holds more than this user may keep.", {
      hint: "Raise the limit, or delete other conversations.",
    });
  }

  /** In bytes. */
  async #mayKeep(): Promise<number> {
    const { limits = {} } = this.#parts;
    const use = (await this.#memory.limits?.use(this.#userId, limits)) ?? [];
    const kept = use.find(({ limit }) => limit === "bytesKept");
    return kept?.allowed === undefined ? Infinity : kept.allowed - kept.used;
  }
}

/** A memory without attachments takes none. */
function contentsOf(runs: readonly ImportedRun[]): { readonly contents?: Contents } {
  const contents = runs.flatMap((run) => [...(run.contents ?? [])]);
  return contents.length === 0 ? {} : { contents: new Map(contents) };
}

async function* asAsync(
  texts: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<string, void, undefined> {
  yield* texts;
}
