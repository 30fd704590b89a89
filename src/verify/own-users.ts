import type { UserId } from "../ids.js";
import type { Memory } from "../memory/memory.js";
import type { BatteryResult } from "./battery.js";
import { bystandersOf, type Difference, differenceOf } from "./bystanders.js";
import { newPrefix, userIds } from "./users.js";

/** New users on a memory in use, who are cleared in the end. The mark keeps groups apart. */
export type NewUsers = (count: number, mark?: string) => readonly UserId[];

/**
 * Works on a memory in use with users of its own, clears them in the end, and compares what
 * everybody else has there.
 */
export async function withOwnUsers(
  memory: Memory,
  signal: AbortSignal,
  work: (newUsers: NewUsers) => Promise<readonly BatteryResult[]>,
): Promise<Difference & { readonly results: readonly BatteryResult[] }> {
  const prefix = newPrefix();
  const users: string[] = [];
  const newUsers: NewUsers = (count, mark = "") => {
    const made = userIds(count, prefix + mark);
    users.push(...made);
    return made;
  };
  const before = await bystandersOf(memory, prefix);
  let results: readonly BatteryResult[];
  try {
    results = await work(newUsers);
  } finally {
    for (const user of users) await memory.clear(user);
  }
  signal.throwIfAborted();
  const ledgers = results.map(({ ledger }) => ledger);
  return { results, ...(await differenceOf(memory, prefix, before, ledgers)) };
}
