import type { StoredMessage } from "../messages.js";
import { type ReadMessages, readBatches } from "./read-batches.js";

export interface Start {
  /** The id of the first message to read. */
  readonly id: number;
  /** How many messages there are from there to the end. */
  readonly messages: number;
}

/**
 * Where the last `last` messages begin, going back from `before`: at a user message, since that
 * begins a run.
 */
export async function startOfLast(
  read: ReadMessages,
  { last, before }: { readonly last: number; readonly before: number },
): Promise<Start> {
  let start: Start | undefined;
  let messages = 0;
  for await (const batch of readBatches(read, { before }))
    for (const { role, id } of [...batch].reverse()) {
      messages += 1;
      if (messages > last && start !== undefined) return start;
      if (role === "user") start = { id, messages };
    }
  return start ?? { id: before, messages: 0 };
}

interface Run {
  readonly runId: string;
  /** Whether it belongs to the part. */
  readonly isIn: boolean;
}

/**
 * The messages of a batch whose runs belong to the part. A run belongs to it as its first message
 * does, which an earlier batch may hold: then that is read again, so no run is remembered.
 */
export async function inPart(
  batch: readonly StoredMessage[],
  read: ReadMessages,
  { since, from }: { readonly since: number; readonly from: number },
): Promise<readonly StoredMessage[]> {
  const runs = new Map<string, Run>();
  const part: StoredMessage[] = [];
  for (const message of batch) {
    const { sessionId, runId } = message;
    let run = runs.get(sessionId);
    if (run === undefined || run.runId !== runId || message.role === "user") {
      const { id, createdAt } = run === undefined ? await firstOfRun(read, message) : message;
      run = { runId, isIn: id >= from && Date.parse(createdAt) >= since };
      runs.set(sessionId, run);
    }
    if (run.isIn) part.push(message);
  }
  return part;
}

/** The first message of a message's run: a user message, if the run has one. */
async function firstOfRun(read: ReadMessages, message: StoredMessage): Promise<StoredMessage> {
  const { sessionId, runId } = message;
  let first = message;
  if (first.role === "user") return first;
  for await (const earlier of readBatches((bounds) => read({ ...bounds, sessionId }), {
    before: message.id,
  }))
    for (const each of [...earlier].reverse()) {
      if (each.runId !== runId) return first;
      first = each;
      if (each.role === "user") return first;
    }
  return first;
}
