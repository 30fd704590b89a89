import type { Memory } from "../memory/memory.js";
import type { BatteryResult } from "./battery.js";
import { bystandersOf, type Difference, differenceOf } from "./bystanders.js";
import { newPrefix, userIds } from "./users.js";

export interface OwnUsersOptions {
  readonly count: number;
  readonly signal: AbortSignal;
}

/**
 * Runs a battery on a memory in use with ids of its own, clears them after it, and compares what
 * everybody else has there.
 */
export async function withOwnUsers(
  memory: Memory,
  { count, signal }: OwnUsersOptions,
  battery: (users: readonly string[]) => Promise<BatteryResult>,
): Promise<Difference & { readonly result: BatteryResult }> {
  const prefix = newPrefix();
  const users = userIds(count, prefix);
  const before = await bystandersOf(memory, prefix);
  let result: BatteryResult;
  try {
    result = await battery(users);
  } finally {
    for (const user of users) await memory.clear(user);
  }
  signal.throwIfAborted();
  return { result, ...(await differenceOf(memory, prefix, before, [result.ledger])) };
}
