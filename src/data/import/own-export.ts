import { DEFAULT_SESSION_ID, validateSessionId } from "../../ids.js";
import { asList, asRecord, asString, isObject } from "../../json.js";
import { checkedContents } from "../../memory/attachments.js";
import { charactersOf } from "../../memory/measure.js";
import type { SessionState } from "../../memory/memory.js";
import { validateMessages } from "../../memory/validate-messages.js";
import type { Contents, NewMessage, StoredMessage } from "../../messages.js";
import type { Batch, ImportedRun, ImportReader, ImportTally } from "./conversation.js";

/** How much one commit stores, at most, unless a single run is longer. */
const MOST_MESSAGES = 200;
const MOST_CHARACTERS = 512 * 1024;

/** Our own exports as json and jsonl: they come back as they were, but for the message ids. */
export const readOwnExport: ImportReader = async function* (records, { tally }) {
  const batches = new Batches(tally);
  for await (const { kind, value } of records) {
    if (kind === "document") {
      yield* batches.end();
      yield* statesIn(value, tally);
    } else yield* batches.add(value);
  }
  yield* batches.end();
};

/** Joins messages to runs, and runs to batches of one session. */
class Batches {
  readonly #tally: ImportTally;
  #name: string | undefined;
  #runs: ImportedRun[] = [];
  #run: { runId: string; messages: NewMessage[]; contents: Map<string, Uint8Array> } | undefined;
  /** The run that is left out, since one of its messages is not valid. */
  #broken: string | undefined;
  #messages = 0;
  #characters = 0;

  constructor(tally: ImportTally) {
    this.#tally = tally;
  }

  *add(value: unknown): Generator<Batch> {
    const { message, contents } = messageIn(value) ?? { contents: new Map() };
    const { runId } = asRecord(value);
    if (message === undefined || runId === this.#broken) {
      const own = this.#run?.runId === runId ? (this.#run?.messages.length ?? 0) : 0;
      if (own > 0) this.#run = undefined;
      this.#broken = typeof runId === "string" ? runId : undefined;
      this.#tally.leaveOut("message that is not valid", own + 1);
      return;
    }
    const { sessionId = DEFAULT_SESSION_ID } = message;
    if (sessionId !== this.#name || message.runId !== this.#run?.runId) {
      this.#endRun();
      const isFull = this.#messages >= MOST_MESSAGES || this.#characters >= MOST_CHARACTERS;
      if (sessionId !== this.#name || isFull) yield* this.end();
      this.#name = sessionId;
      this.#run = { runId: message.runId, messages: [], contents: new Map() };
    }
    this.#run?.messages.push(message);
    for (const [hash, content] of contents) this.#run?.contents.set(hash, content);
  }

  *end(): Generator<Batch> {
    this.#endRun();
    if (this.#name !== undefined && this.#runs.length > 0)
      yield { name: this.#name, runs: this.#runs, isPart: true };
    this.#runs = [];
    this.#messages = 0;
    this.#characters = 0;
  }

  #endRun(): void {
    if (this.#run === undefined) return;
    this.#runs.push(this.#run);
    this.#messages += this.#run.messages.length;
    for (const message of this.#run.messages)
      this.#characters += charactersOf(message as StoredMessage);
    for (const content of this.#run.contents.values()) this.#characters += content.length;
    this.#run = undefined;
  }
}

interface MessageWithContents {
  readonly message: NewMessage & { readonly runId: string };
  readonly contents: Contents;
}

/** Exports hold them in base64. */
function contentsIn(message: Partial<StoredMessage>): Contents {
  const contents = new Map<string, Uint8Array>();
  for (const { hash, content } of asList(asRecord(message).attachments).map(asRecord))
    contents.set(asString(hash), Buffer.from(asString(content), "base64"));
  return contents;
}

/** Undefined for anything that an export does not hold. */
function messageIn(value: unknown): MessageWithContents | undefined {
  const { id: _, ...message } = asRecord(value) as Partial<StoredMessage>;
  if (typeof message.runId !== "string" || message.createdAt === undefined) return undefined;
  try {
    const sessionId = validateSessionId(message.sessionId ?? DEFAULT_SESSION_ID);
    const [row] = validateMessages(message as NewMessage, { sessionId, createdAt: "" });
    if (row === undefined) return undefined;
    const contents = checkedContents([row], contentsIn(message));
    return { message: { ...row, runId: message.runId }, contents };
  } catch {
    return undefined;
  }
}

/** The state of every session, after its messages. */
function* statesIn(
  { user, state }: Readonly<Record<string, unknown>>,
  tally: ImportTally,
): Generator<Batch> {
  if (typeof user === "string") tally.otherUser = user;
  for (const [name, own] of Object.entries(asRecord(state)))
    if (isSessionId(name) && isObject(own))
      yield { name, runs: [], isPart: true, state: own as SessionState };
}

function isSessionId(name: string): boolean {
  try {
    validateSessionId(name);
    return true;
  } catch {
    return false;
  }
}
