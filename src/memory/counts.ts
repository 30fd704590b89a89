import type { Counts, Memory, SessionInfo, SessionOptions } from "./memory.js";

/** What `Memory.counts` returns, also of a memory without it. */
export async function countsOf(
  memory: Memory,
  userId: string,
  options: SessionOptions = {},
): Promise<Counts> {
  if (memory.counts !== undefined) return memory.counts(userId, options);
  return sumOf(await memory.sessions(userId), options.sessionId);
}

/** Sums up these sessions, or only the one with this id. */
export function sumOf<Time extends string | number>(
  sessions: readonly (Omit<SessionInfo, "lastActivity"> & { readonly lastActivity: Time })[],
  sessionId?: string,
): Omit<Counts, "lastActivity"> & { readonly lastActivity: Time | undefined } {
  const sum = { sessions: 0, messages: 0, runs: 0, bytes: 0 };
  let latest: Time | undefined;
  for (const { sessionId: id, messages, runs, bytes, lastActivity } of sessions) {
    if ((sessionId ?? id) !== id) continue;
    sum.sessions += 1;
    sum.messages += messages;
    sum.runs += runs;
    sum.bytes += bytes;
    if (latest === undefined || lastActivity > latest) latest = lastActivity;
  }
  return { ...sum, lastActivity: latest };
}
