import { runBattery } from "../battery.js";
import type { Finding } from "../finding.js";
import { userIds } from "../users.js";
import { AGENT_DOUBLES } from "./agent-doubles.js";
import type { Double, ProcessDouble } from "./double.js";
import { MEMORY_DOUBLES } from "./memory-doubles.js";
import { MODEL_DOUBLES } from "./model-doubles.js";
import { PROCESS_DOUBLES } from "./process-doubles.js";
import { REOPENED_DOUBLES } from "./reopened-doubles.js";
import { SERVER_DOUBLES } from "./server-doubles.js";
import { TOOL_DOUBLES } from "./tool-doubles.js";

export const DOUBLES: readonly (Double | ProcessDouble)[] = [
  ...MEMORY_DOUBLES,
  ...MODEL_DOUBLES,
  ...TOOL_DOUBLES,
  ...AGENT_DOUBLES,
  ...REOPENED_DOUBLES,
  ...SERVER_DOUBLES,
  ...PROCESS_DOUBLES,
];

/** How many planted leaks the judge found. */
export interface Planted {
  readonly found: number;
  readonly of: number;
  /** The leaks that it did not find. */
  readonly missed: readonly string[];
}

/** Lets the judge find a leak in every double, each in a battery of its own. */
export async function judgeTheJudge(
  seed: number,
  signal: AbortSignal,
  doubles = DOUBLES,
): Promise<Planted> {
  const missed: string[] = [];
  for (const double of doubles) {
    signal.throwIfAborted();
    if (!(await isFound(double, seed, signal))) missed.push(double.name);
  }
  return { found: doubles.length - missed.length, of: doubles.length, missed };
}

let known: Planted | undefined;

/**
 * As `judgeTheJudge` with every double. The judge is the same for every target, so a process that
 * checks several lets it find them once.
 */
export async function plantedLeaks(seed: number, signal: AbortSignal): Promise<Planted> {
  const planted = known ?? (await judgeTheJudge(seed, signal));
  if (planted.missed.length === 0) known = planted;
  return planted;
}

/** How long to wait for a user who is blocked in a double. */
const ARRIVAL_MS = 50;

/** Enough for every session, twice with tools. */
const ROUNDS = 4;

async function isFound(
  double: Double | ProcessDouble,
  seed: number,
  signal: AbortSignal,
): Promise<boolean> {
  const found = new AbortController();
  const { blocks = false } = "check" in double ? {} : double;
  const options = {
    ...{ users: userIds(5), seed, signal: AbortSignal.any([signal, found.signal]) },
    // In so short a time a user may seem to be blocked who is not.
    onFinding: (findings: readonly Finding[]) => {
      if (findings.some(({ kind }) => blocks || kind !== "blocked")) found.abort();
    },
  };
  if ("check" in double) await double.check({ ...options, startProcess: double.startProcess() });
  else await runBattery({ ...options, ...double.open(), rounds: ROUNDS, arrivalMs: ARRIVAL_MS });
  return found.signal.aborted;
}
