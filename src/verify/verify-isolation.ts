import { Agent } from "../agent/agent.js";
import { AgnoChatError } from "../errors.js";
import type { Awaitable, Memory } from "../memory/memory.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import type { Toolkit } from "../tools/tool.js";
import {
  type AgentParts,
  type AgentUnderCheck,
  agentOver,
  type BatteryResult,
  runBattery,
} from "./battery.js";
import { bystandersOf, differenceOf } from "./bystanders.js";
import type { Doors } from "./doors/door.js";
import { judgeTheJudge } from "./doubles/judge-the-judge.js";
import type { CheckName } from "./finding.js";
import { erased } from "./phases/erased.js";
import { prune } from "./phases/prune.js";
import { startProcess } from "./processes/other-process.js";
import { randomSeed } from "./random.js";
import type { RecordedRequest } from "./recorder.js";
import { reportOf, type VerifyReport } from "./report/report.js";
import { newPrefix, userIds } from "./users.js";

/** A memory for the check alone, which is empty and may be emptied. */
export interface ThrowawayMemory {
  open(): Awaitable<Memory>;
  /** As `spec` of a target; the check then tries more with other processes. */
  readonly spec?: string | undefined;
  /** Everything of it that lies on disk once it is closed, to look for texts that were cleared. */
  bytes?(): Awaitable<Uint8Array>;
}

/** What is checked: our agent over your memory, or an agent that you build. */
export type VerifyTarget =
  | {
      readonly memory: Memory;
      /** How another process opens the same memory: `sqlite:PATH`. Default: none can. */
      readonly spec?: string | undefined;
      /** A memory of the same kind, for what a memory in use must not be asked for. */
      readonly throwaway?: ThrowawayMemory | undefined;
      /** Every tool is called in every other run, by everybody, with arguments made up from its schema. */
      readonly toolkits?: readonly Toolkit[] | undefined;
    }
  | { readonly agent: (parts: AgentParts) => AgentUnderCheck };

export interface VerifyOptions {
  /** Default: 10. */
  readonly users?: number | undefined;
  /** About how many runs overlap; the other checks add theirs. Default: 200. */
  readonly runs?: number | undefined;
  /** The same seed gives the same texts and the same schedule. Default: a random one. */
  readonly seed?: number | undefined;
  /** Ends the check early; what it stored is cleared first. */
  readonly signal?: AbortSignal | undefined;
  /** Receives every request to the model. */
  readonly record?: ((request: RecordedRequest) => void) | undefined;
  /** Named in the report. */
  readonly describe?: Readonly<Record<string, string>>;
  readonly version?: string;
}

const OPTION_KEYS: KnownKeys<VerifyOptions> = {
  users: true,
  runs: true,
  seed: true,
  signal: true,
  record: true,
  describe: true,
  version: true,
};

type MemoryTarget = Extract<VerifyTarget, { readonly memory: Memory }>;

const MEMORY_KEYS: KnownKeys<MemoryTarget> = {
  memory: true,
  spec: true,
  throwaway: true,
  toolkits: true,
};

const AGENT_KEYS: KnownKeys<Exclude<VerifyTarget, MemoryTarget>> = { agent: true };

const FEWEST_USERS = 3;
const MOST_USERS = 100;

/** The throw-away store is driven with few runs: what it adds are ids and clears, not load. */
const THROWAWAY_ROUNDS = 4;

const LIBRARY_CHECKS: readonly CheckName[] = [
  "requests",
  "same-words",
  "replies",
  "tools",
  "side-by-side",
  "stored",
  "failures",
  "clears",
  "limits",
  "bystanders",
];

/**
 * Drives an agent with many users at once and judges every request that it sends, every reply and
 * everything it keeps. No model is called. On your memory it uses ids that begin with `verify-`
 * alone, and clears them at the end.
 *
 * Before that, the judge has to find the leaks in agents that have one on purpose.
 * @example
 * const report = await verifyIsolation({ memory: new InMemory() }, { users: 4, runs: 20 });
 * if (!report.ok) throw new Error(report.verdict);
 * @returns a report whose `verdict` is `isolated`, `leak` or `not-shown`
 * @throws {AgnoChatError} `USAGE`; what the memory failed with outside a run
 */
export async function verifyIsolation(
  target: VerifyTarget,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  refuseUnknownParts(target);
  refuseUnknownKeys<VerifyOptions>(options, OPTION_KEYS, "verifyIsolation");
  const { users = 10, runs = 200, seed = randomSeed(), describe = {}, version } = options;
  checkCounts(users, runs);
  const signal = options.signal ?? new AbortController().signal;
  const started = performance.now();
  const planted = await judgeTheJudge(seed, signal);
  const shared = { seed, signal, record: options.record };
  const rounds = Math.ceil(runs / users);
  const own = await verifyOwn(target, { ...shared, users, rounds });
  const results = [own.result];
  const throwaway = "memory" in target ? target.throwaway : undefined;
  if (throwaway !== undefined) results.push(await verifyThrowaway(throwaway, { ...shared, users }));
  const specs = "memory" in target ? [target.spec, throwaway?.spec] : [];
  const isReopened = specs.some((spec) => spec !== undefined);
  const erasing = throwaway?.bytes === undefined ? [] : (["erased"] as const);
  return reportOf({
    ...{ results, planted, seed, version, target: describe },
    ...{ findings: own.findings, gaps: own.gaps },
    notProved: [...own.notProved, ...(isReopened ? [] : [NOT_REOPENED])],
    evidence: ["sent", "store"],
    checks: [...LIBRARY_CHECKS, ...(isReopened ? (["reopened"] as const) : []), ...erasing],
    durationMs: Math.round(performance.now() - started),
  });
}

const NOT_REOPENED = "what another process would read: none opened the store";

interface Shared {
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly record?: VerifyOptions["record"];
  readonly users: number;
}

/** The battery on the memory that is asked about, with ids of its own, which are cleared after it. */
async function verifyOwn(
  target: VerifyTarget,
  { users: count, ...shared }: Shared & { readonly rounds: number },
) {
  const prefix = newPrefix();
  const users = userIds(count, prefix);
  const open = "memory" in target ? agentOver(target.memory, target.toolkits) : target.agent;
  const memory = "memory" in target ? target.memory : memoryOf(target.agent);
  const before = await bystandersOf(memory, prefix);
  let result: BatteryResult;
  try {
    const spec = "memory" in target ? target.spec : undefined;
    const startProcess = processOn(spec, shared);
    result = await runBattery({ ...shared, open, users, openDoors, startProcess });
  } finally {
    for (const user of users) await memory.clear(user);
  }
  shared.signal.throwIfAborted();
  return { result, ...(await differenceOf(memory, prefix, before, [result.ledger])) };
}

/** Our own server, if it can serve the agent; loaded only where it is checked. */
async function openDoors({ agent }: AgentUnderCheck): Promise<Doors> {
  if (!(agent instanceof Agent)) return { doors: [], readers: [], clearers: [], attacks: [] };
  return (await import("./doors/server.js")).serverDoors(agent);
}

/** The memory of an agent that is built by a function. */
function memoryOf(agent: (parts: AgentParts) => AgentUnderCheck): Memory {
  const model = { name: "none", stream: () => Promise.reject(new Error("No model.")) as never };
  return agent({ model, toolkits: [], instructions: "" }).memory;
}

/** Ids as strange as they may be, and removing users: what a memory in use cannot be asked for. */
async function verifyThrowaway(
  throwaway: ThrowawayMemory,
  { users, ...shared }: Shared,
): Promise<BatteryResult> {
  const memory = await throwaway.open();
  let result: BatteryResult;
  try {
    result = await runBattery({
      ...{ ...shared, open: agentOver(memory), users: userIds(users), rounds: THROWAWAY_ROUNDS },
      ...{ openDoors, startProcess: processOn(throwaway.spec, shared) },
      also: (stage) => prune(stage, memory),
    });
  } finally {
    await memory.close();
  }
  if (throwaway.bytes === undefined) return result;
  const left = erased(result.ledger, await throwaway.bytes());
  return { ...result, findings: [...result.findings, ...left] };
}

/** How to start another process on a memory; undefined if that cannot be. */
const processOn = (spec: string | undefined, { signal }: Pick<Shared, "signal">) =>
  spec === undefined ? undefined : () => startProcess(spec, signal);

function refuseUnknownParts(target: VerifyTarget): void {
  if ("memory" in target) refuseUnknownKeys(target, MEMORY_KEYS, "The target");
  else refuseUnknownKeys(target, AGENT_KEYS, "The target");
}

function checkCounts(users: number, runs: number): void {
  if (!Number.isInteger(users) || users < FEWEST_USERS || users > MOST_USERS)
    throw new AgnoChatError(
      "USAGE",
      `users must be a whole number from ${FEWEST_USERS} to ${MOST_USERS}, not ${users}.`,
    );
  if (!Number.isInteger(runs) || runs < users)
    throw new AgnoChatError("USAGE", `runs must be at least the number of users, not ${runs}.`);
}
