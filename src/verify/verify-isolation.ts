import { Agent } from "../agent/agent.js";
import { AgnoChatError } from "../errors.js";
import { InMemory } from "../memory/in-memory.js";
import type { Awaitable, Memory } from "../memory/memory.js";
import type { Model } from "../models/model.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import {
  type AgentParts,
  type AgentUnderCheck,
  agentOver,
  type BatteryResult,
  runBattery,
} from "./battery.js";
import { type Doors, NO_DOORS } from "./doors/door.js";
import { plantedLeaks } from "./doubles/judge-the-judge.js";
import type { CheckName } from "./finding.js";
import { withOwnUsers } from "./own-users.js";
import { erased } from "./phases/erased.js";
import { prune } from "./phases/prune.js";
import { processesOn } from "./processes/other-process.js";
import { checkCommandLine, checkKilled, checkTogether } from "./processes/process-check.js";
import { randomSeed } from "./random.js";
import type { RecordedRequest } from "./recorder.js";
import { type ReportParts, reportOf, type VerifyReport } from "./report/report.js";
import { checksOf } from "./targets/app.js";
import { LIVE_ROUNDS, LIVE_USERS, verifyLive } from "./targets/live.js";
import { verifyAdapter } from "./targets/model.js";
import { APP_RUNS, APP_USERS, verifySend } from "./targets/send.js";
import {
  type AgentTarget,
  checkTarget,
  type MemoryTarget,
  type SendTarget,
  type ThrowawayMemory,
  type VerifyTarget,
  type VerifyUpstream,
} from "./targets/target.js";
import { userIds } from "./users.js";

export interface VerifyOptions {
  /** Default: 10; 6 for `send`, 3 for a model that answers itself. */
  readonly users?: number | undefined;
  /**
   * About how many runs overlap; the other checks add theirs. Default: 200; 30 for `send`, 9 for a
   * model that answers itself.
   */
  readonly runs?: number | undefined;
  /** The same seed gives the same texts and the same schedule. Default: a random one. */
  readonly seed?: number | undefined;
  /** Ends the check early; what it stored is cleared first. */
  readonly signal?: AbortSignal | undefined;
  /** Receives every request to the model. */
  readonly record?: ((request: RecordedRequest) => void) | undefined;
  /** Takes what the check is doing, in a few words. */
  readonly onProgress?: ((what: string) => void) | undefined;
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
  onProgress: true,
  describe: true,
  version: true,
};

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
 * Drives many users at once and judges every request to the model, every reply and everything that
 * is kept. On your memory it uses ids that begin with `verify-` alone, and clears them at the end.
 *
 * Before the first check of a process, the judge has to find the leaks in agents that have one on
 * purpose.
 * @example
 * const report = await verifyIsolation({ memory: new InMemory() }, { users: 3, runs: 6 });
 * if (!report.ok) throw new Error(reportText(report));
 * console.log(report.verdict); // isolated
 * @example
 * // A model adapter, on the check's own model.
 * const model = ({ baseURL }: { baseURL: string }) =>
 *   new OpenAIModel({ model: "any", baseUrl: baseURL });
 * const { verdict } = await verifyIsolation({ model }, { users: 3, runs: 6 });
 * console.log(verdict); // isolated
 * @example
 * // An app in any framework; here an agent stands for it.
 * let app: Agent;
 * const target: VerifyTarget = {
 *   upstream: ({ baseURL }) => {
 *     app = new Agent({ model: new OpenAIModel({ model: "any", baseUrl: baseURL }) });
 *   },
 *   send: async (userId, message) => (await app.run(message, { userId })).content,
 * };
 * const { findings } = await verifyIsolation(target, { users: 3, runs: 6 });
 * console.log(findings.length); // 0
 * @returns a report whose `verdict` is `isolated`, `leak` or `not-shown`
 * @throws {AgnoChatError} `USAGE`; what the memory, or a model that answers itself, failed with
 */
export async function verifyIsolation(
  target: VerifyTarget,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  checkTarget(target);
  refuseUnknownKeys<VerifyOptions>(options, OPTION_KEYS, "verifyIsolation");
  const [usualUsers, usualRuns] = defaultCounts(target);
  const { users = usualUsers, runs = Math.max(usualRuns, users), seed = randomSeed() } = options;
  checkCounts(users, runs);
  const { signal = new AbortController().signal, record, onProgress } = options;
  const { describe = {}, version } = options;
  const started = performance.now();
  const rounds = Math.ceil(runs / users);
  const shared = { seed, record, onProgress, users, rounds };
  onProgress?.("planted leaks");
  // Other processes take time to start, in which the judge can look for planted leaks.
  const [planted, parts] = await atOnce(
    signal,
    (both) => plantedLeaks(seed, both),
    (both) => partsFor(target, { ...shared, signal: both }),
  );
  signal.throwIfAborted();
  const durationMs = Math.round(performance.now() - started);
  return reportOf({ ...parts, planted, seed, version, target: describe, durationMs });
}

/** How many users and runs there are unless the options say so. */
function defaultCounts(target: VerifyTarget): readonly [users: number, runs: number] {
  if ("send" in target) return [APP_USERS, APP_RUNS];
  if ("model" in target && typeof target.model !== "function")
    return [LIVE_USERS, LIVE_USERS * LIVE_ROUNDS];
  return [10, 200];
}

const NOT_SERVED = "what the server would answer: it serves an `Agent` alone";
const NOT_REOPENED = "what another process would read: none opened the store";

interface Shared {
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly record: VerifyOptions["record"];
  readonly onProgress: VerifyOptions["onProgress"];
  readonly users: number;
  readonly rounds: number;
}

type Parts = Pick<
  ReportParts,
  "results" | "evidence" | "checks" | "findings" | "gaps" | "notProved"
>;

function partsFor(target: VerifyTarget, options: Shared): Promise<Parts> {
  if ("send" in target) return sendParts(target, options);
  if (!("model" in target)) return agentParts(target, options);
  const { model } = target;
  return typeof model === "function" ? adapterParts(model, options) : modelParts(model, options);
}

async function sendParts(target: SendTarget, options: Shared) {
  const result = await verifySend(target, options);
  return {
    ...{ results: [result], evidence: [result.evidence], gaps: result.gaps },
    notProved: result.notProved,
    checks: checksOf(result, target.clear !== undefined),
  };
}

async function adapterParts(
  open: (upstream: VerifyUpstream) => Awaitable<Model>,
  { users, ...options }: Shared,
): Promise<Parts> {
  const result = await verifyAdapter(open, { ...options, users: userIds(users) });
  const checks = LIBRARY_CHECKS.filter((check) => check !== "bystanders");
  return { results: [result], evidence: ["sent", "store"], checks };
}

const UNSEEN = "what the model sends on was not seen: give a function of the base URL instead";

async function modelParts(model: Model, options: Shared): Promise<Parts> {
  const memory = new InMemory();
  const { result, gaps, ...rest } = await verifyLive({ ...options, model, memory });
  return { ...rest, results: [result], evidence: ["replies"], gaps: [...gaps, UNSEEN] };
}

async function agentParts(target: MemoryTarget | AgentTarget, shared: Shared): Promise<Parts> {
  const { open, memory, spec, throwaway } = underCheck(target);
  const [{ result, ...difference }, processes] = await atOnce(
    shared.signal,
    (signal) =>
      withOwnUsers(memory, { count: shared.users, signal }, (users) =>
        runBattery({
          ...{ ...shared, signal, open, users, openDoors },
          startProcess: processOn(spec, { signal }),
        }),
      ),
    (signal) => checkProcesses(throwaway?.spec, { ...shared, signal }),
  );
  const results = [result];
  if (throwaway !== undefined) results.push(await verifyThrowaway(throwaway, shared));
  results.push(...processes);
  const isReopened = spec !== undefined || throwaway?.spec !== undefined;
  const isAttacked = results.some(({ attacks }) => attacks > 0);
  const more: readonly [CheckName, boolean][] = [
    ["attacks", isAttacked],
    ["reopened", isReopened],
    ["killed", processes.length > 0],
    ["together", processes.length > 0],
    ["erased", throwaway?.bytes !== undefined],
  ];
  return {
    ...{ ...difference, results },
    evidence: ["sent", "store", ...(isAttacked ? (["attack"] as const) : [])],
    notProved: [
      ...difference.notProved,
      ...(isAttacked ? [] : [NOT_SERVED]),
      ...(isReopened ? [] : [NOT_REOPENED]),
    ],
    checks: [...LIBRARY_CHECKS, ...more.flatMap(([check, isMade]) => (isMade ? [check] : []))],
  };
}

interface UnderCheck extends Omit<MemoryTarget, "toolkits"> {
  readonly open: (parts: AgentParts) => AgentUnderCheck;
}

function underCheck(target: MemoryTarget | AgentTarget): UnderCheck {
  if (!("memory" in target)) return { open: target.agent, memory: memoryOf(target.agent) };
  const { memory, toolkits, spec, throwaway } = target;
  return { memory, spec, throwaway, open: agentOver(memory, toolkits) };
}

/** Two works at once; when one of them fails, the other is ended before it is told. */
async function atOnce<One, Other>(
  signal: AbortSignal,
  one: (signal: AbortSignal) => Promise<One>,
  other: (signal: AbortSignal) => Promise<Other>,
): Promise<[One, Other]> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const fail = (thrown: unknown): never => {
    failed.abort(thrown);
    throw thrown;
  };
  const works = [one(either).catch(fail), other(either).catch(fail)] as const;
  await Promise.allSettled(works);
  return Promise.all(works);
}

const KILLED_USERS = 5;
const USERS_TOGETHER = 3;
const COMMAND_LINE_USERS = 2;

/** Other processes that write to a throw-away store; nothing without one that they can open. */
async function checkProcesses(
  spec: string | undefined,
  { seed, signal, record }: Pick<Shared, "seed" | "signal" | "record">,
): Promise<BatteryResult[]> {
  if (spec === undefined) return [];
  const shared = { signal, record, startProcess: processesOn(spec, signal) };
  // Their texts must differ from those of the other checks on this store.
  const users = { killed: userIds(KILLED_USERS, "k-"), together: userIds(USERS_TOGETHER, "t-") };
  return [
    await checkKilled({ ...shared, seed: seed + 1, users: users.killed }),
    await checkTogether({ ...shared, seed: seed + 2, users: users.together }),
    await checkCommandLine({ ...shared, spec, seed: seed + 3, users: userIds(COMMAND_LINE_USERS) }),
  ];
}

/** Our own server, if it can serve the agent; loaded only where it is checked. */
async function openDoors({ agent }: AgentUnderCheck): Promise<Doors> {
  if (!(agent instanceof Agent)) return NO_DOORS;
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
    // The users of the other checks on it.
    await memory.clearAll();
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
  spec === undefined ? undefined : processesOn(spec, signal);

/** @throws {AgnoChatError} `USAGE` */
export function checkCounts(users: number, runs: number): void {
  if (!Number.isInteger(users) || users < FEWEST_USERS || users > MOST_USERS)
    throw new AgnoChatError(
      "USAGE",
      `users must be a whole number from ${FEWEST_USERS} to ${MOST_USERS}, not ${users}.`,
    );
  if (!Number.isInteger(runs) || runs < users)
    throw new AgnoChatError("USAGE", `runs must be at least the number of users, not ${runs}.`);
}
