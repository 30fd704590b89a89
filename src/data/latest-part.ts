import type { StoredMessage } from "../messages.js";
import type { LatestPart } from "./export-options.js";
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

/**
 * Tells for each message, in order, whether its run belongs to the part. Remembers one run of each
 * session, unless everything belongs to it.
 */
export function runFilter({ since = -Infinity, last }: LatestPart): (m: StoredMessage) => boolean {
  if (since === -Infinity && last === undefined) return () => true;
  const runs = new Map<string, { readonly runId: string; readonly isIn: boolean }>();
  return ({ sessionId, runId, role, createdAt }) => {
    const run = runs.get(sessionId);
    if (run?.runId === runId && role !== "user") return run.isIn;
    // Read from the middle on, a session may begin with the end of a run.
    const isWhole = last === undefined || run !== undefined || role === "user";
    const isIn = isWhole && Date.parse(createdAt) >= since;
    runs.set(sessionId, { runId, isIn });
    return isIn;
  };
}
