import { createHash } from "node:crypto";
import type { Memory } from "../memory/memory.js";
import type { Finding } from "./finding.js";
import type { Ledger } from "./ledger.js";

/** Up to this many messages are compared text by text; larger stores by their counts. */
const MOST_READ = 20_000;

/** A fingerprint of each user who is not part of the check. Holds no user's text. */
export interface Bystanders {
  readonly users: ReadonlyMap<string, string>;
  /** Whether histories and session states were read, and not only counts and times. */
  readonly wordByWord: boolean;
}

/**
 * Fingerprints of everybody whose id does not begin with the prefix.
 * @param wordByWord Default: unless the histories are too long together.
 */
export async function bystandersOf(
  memory: Memory,
  prefix: string,
  wordByWord?: boolean,
): Promise<Bystanders> {
  const users = (await memory.users()).filter(({ userId }) => !userId.startsWith(prefix));
  wordByWord ??= users.reduce((sum, user) => sum + user.messages, 0) <= MOST_READ;
  const prints = new Map<string, string>();
  for (const user of users) {
    const kept = wordByWord ? await keptOf(memory, user.userId) : [];
    prints.set(user.userId, fingerprint([user, kept]));
  }
  return { users: prints, wordByWord };
}

async function keptOf(memory: Memory, userId: string): Promise<unknown[]> {
  const sessions = await memory.sessions(userId);
  const states = [];
  for (const { sessionId } of sessions) states.push(await memory.getState(userId, { sessionId }));
  return [sessions, states, await memory.getMessages(userId)];
}

const fingerprint = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex");

const COUNTS_ONLY =
  "the words of everybody else: the store is so large that only counts and times were compared";

/** What became of bystanders while the check ran. */
export interface Difference {
  readonly findings: readonly Finding[];
  readonly gaps: readonly string[];
  /** What was not compared. */
  readonly notProved: readonly string[];
}

/**
 * Compares everybody else before and after. A change without a text of the check may be the work of
 * another program, so it is a gap; one with such a text is a finding.
 */
export async function differenceOf(
  memory: Memory,
  prefix: string,
  before: Bystanders,
  ledgers: readonly Ledger[],
): Promise<Difference> {
  const after = await bystandersOf(memory, prefix, before.wordByWord);
  const names = new Set([...before.users.keys(), ...after.users.keys()]);
  const changed = [...names].filter((user) => before.users.get(user) !== after.users.get(user));
  const findings: Finding[] = [];
  for (const userId of changed)
    if (await holdsCanary(memory, userId, ledgers)) findings.push(touched(userId));
  const notProved = before.wordByWord ? [] : [COUNTS_ONLY];
  if (changed.length === 0 || findings.length > 0) return { findings, gaps: [], notProved };
  const users = changed.length === 1 ? "1 other user" : `${changed.length} other users`;
  const gap = `the data of ${users} changed meanwhile; run it when nobody writes`;
  return { findings, gaps: [gap], notProved };
}

async function holdsCanary(memory: Memory, userId: string, ledgers: readonly Ledger[]) {
  const text = JSON.stringify(await keptOf(memory, userId));
  return ledgers.some(({ canaries }) => canaries.in(text).length > 0);
}

const touched = (userId: string): Finding => ({
  ...{ check: "bystanders", kind: "touched", door: "memory", where: "history" },
  by: { userId, sessionId: "?" },
  text: "a user who is not part of the check holds a text of the check",
});
