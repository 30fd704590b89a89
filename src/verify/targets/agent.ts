import { Agent } from "../../agent/agent.js";
import type { Memory } from "../../memory/memory.js";
import { atOnce } from "../at-once.js";
import {
  type AgentParts,
  type AgentUnderCheck,
  agentOver,
  type BatteryOptions,
  type BatteryResult,
  runBattery,
} from "../battery.js";
import { type Doors, NO_DOORS } from "../doors/door.js";
import type { CheckName } from "../finding.js";
import { type NewUsers, withOwnUsers } from "../own-users.js";
import { erased } from "../phases/erased.js";
import { prune } from "../phases/prune.js";
import { processesOn } from "../processes/other-process.js";
import { checkCommandLine, checkKilled, checkTogether } from "../processes/process-check.js";
import type { ReportParts } from "../report/report.js";
import { userIds } from "../users.js";
import type { AgentTarget, MemoryTarget, ThrowawayMemory } from "./target.js";

/** How many users and runs there are unless somebody says so. */
export const AGENT_USERS = 10;
export const AGENT_RUNS = 200;

/** What is told of every check on an agent or a memory. */
export const LIBRARY_CHECKS: readonly CheckName[] = [
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

const NOT_SERVED = "what the server would answer: it serves an `Agent` alone";
const NOT_REOPENED = "what another process would read: none opened the store";
const NOT_PRUNED = "removing inactive users from this store: others may use it";
const NOT_SEARCHED = "what cleared texts leave in the files of this store: they cannot be searched";

/** The throw-away store is driven with few runs: what it adds are ids and clears, not load. */
const THROWAWAY_ROUNDS = 4;

const KILLED_USERS = 5;
const USERS_TOGETHER = 3;
const COMMAND_LINE_USERS = 2;

export interface AgentOptions
  extends Pick<BatteryOptions, "rounds" | "seed" | "signal" | "record" | "onProgress"> {
  readonly users: number;
}

/** The parts of a report that a target makes. */
export type TargetParts = Pick<
  ReportParts,
  "results" | "evidence" | "checks" | "findings" | "gaps" | "notProved"
>;

/** Drives an agent, on a memory in use with users of its own. */
export async function verifyAgent(
  target: MemoryTarget | AgentTarget,
  options: AgentOptions,
): Promise<TargetParts> {
  const { open, memory, spec, throwaway } = underCheck(target);
  const own = await withOwnUsers(memory, options.signal, async (newUsers) => {
    const users = newUsers(options.users);
    const [result, processes] = await atOnce(
      options.signal,
      (signal) => {
        const startProcess = processOn(spec, signal);
        return runBattery({ ...options, signal, open, openDoors, users, startProcess });
      },
      (signal) => checkProcesses({ spec, throwaway, newUsers }, { ...options, signal }),
    );
    return [result, ...processes];
  });
  const [first, ...processes] = own.results as [BatteryResult, ...BatteryResult[]];
  const results = [first];
  if (throwaway !== undefined) results.push(await verifyThrowaway(throwaway, options));
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
    ...{ ...own, results },
    evidence: ["sent", "store", ...(isAttacked ? (["attack"] as const) : [])],
    notProved: [
      ...own.notProved,
      ...(isAttacked ? [] : [NOT_SERVED]),
      ...(isReopened ? [] : [NOT_REOPENED]),
      // A throw-away of another kind stands in for a store that others may use.
      ...(spec !== undefined && throwaway?.spec === undefined ? [NOT_PRUNED] : []),
      ...(spec !== undefined && throwaway?.bytes === undefined ? [NOT_SEARCHED] : []),
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

/** The memory of an agent that is built by a function. */
function memoryOf(agent: (parts: AgentParts) => AgentUnderCheck): Memory {
  const model = { name: "none", stream: () => Promise.reject(new Error("No model.")) as never };
  return agent({ model, toolkits: [], instructions: "" }).memory;
}

interface Stores {
  readonly spec: string | undefined;
  readonly throwaway: ThrowawayMemory | undefined;
  readonly newUsers: NewUsers;
}

/**
 * Other processes that write to a throw-away store, or else to the store itself for users of their
 * own; nothing without one that they can open.
 */
async function checkProcesses(
  { spec: used, throwaway, newUsers }: Stores,
  { seed, signal, record }: AgentOptions,
): Promise<readonly BatteryResult[]> {
  const spec = throwaway?.spec ?? used;
  if (spec === undefined) return [];
  const usersOf: NewUsers = throwaway?.spec === undefined ? newUsers : userIds;
  const shared = { signal, record, startProcess: processesOn(spec, signal) };
  // Their texts must differ from those of the other checks on this store.
  return [
    await checkKilled({ ...shared, seed: seed + 1, users: usersOf(KILLED_USERS, "k-") }),
    await checkTogether({ ...shared, seed: seed + 2, users: usersOf(USERS_TOGETHER, "t-") }),
    await checkCommandLine({
      ...{ ...shared, spec, seed: seed + 3, users: usersOf(COMMAND_LINE_USERS, "c-") },
    }),
  ];
}

/** Our own server, if it can serve the agent; loaded only where it is checked. */
async function openDoors({ agent }: AgentUnderCheck): Promise<Doors> {
  if (!(agent instanceof Agent)) return NO_DOORS;
  return (await import("../doors/server.js")).serverDoors(agent);
}

/** Ids as strange as they may be, and removing users: what a memory in use cannot be asked for. */
async function verifyThrowaway(
  throwaway: ThrowawayMemory,
  { users, ...options }: AgentOptions,
): Promise<BatteryResult> {
  const memory = await throwaway.open();
  let result: BatteryResult;
  try {
    // The users of the other checks on it.
    await memory.clearAll();
    result = await runBattery({
      ...{ ...options, open: agentOver(memory), users: userIds(users), rounds: THROWAWAY_ROUNDS },
      ...{ openDoors, startProcess: processOn(throwaway.spec, options.signal) },
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
const processOn = (spec: string | undefined, signal: AbortSignal) =>
  spec === undefined ? undefined : processesOn(spec, signal);
