import { runBattery } from "../battery.js";
import { userIds } from "../users.js";
import { AGENT_DOUBLES } from "./agent-doubles.js";
import type { Double } from "./double.js";
import { MEMORY_DOUBLES } from "./memory-doubles.js";
import { MODEL_DOUBLES } from "./model-doubles.js";
import { REOPENED_DOUBLES } from "./reopened-doubles.js";
import { SERVER_DOUBLES } from "./server-doubles.js";
import { TOOL_DOUBLES } from "./tool-doubles.js";

export const DOUBLES: readonly Double[] = [
  ...MEMORY_DOUBLES,
  ...MODEL_DOUBLES,
  ...TOOL_DOUBLES,
  ...AGENT_DOUBLES,
  ...REOPENED_DOUBLES,
  ...SERVER_DOUBLES,
];

/** How many planted leaks the judge found. */
export interface Planted {
  readonly found: number;
  readonly of: number;
  /** What the ones were that it did not find. */
  readonly missed: readonly string[];
}

/** Lets the judge find a leak in every double, each in a battery of its own. */
export async function judgeTheJudge(
  seed: number,
  signal: AbortSignal,
  doubles: readonly Double[] = DOUBLES,
): Promise<Planted> {
  const missed: string[] = [];
  for (const double of doubles) {
    signal.throwIfAborted();
    if (!(await isFound(double, seed, signal))) missed.push(double.name);
  }
  return { found: doubles.length - missed.length, of: doubles.length, missed };
}

/** A user who is held up in a double is waited for no longer than this. */
const ARRIVAL_MS = 50;

async function isFound(double: Double, seed: number, signal: AbortSignal): Promise<boolean> {
  const found = new AbortController();
  const { findings } = await runBattery({
    ...{ ...double.open(), users: userIds(5), rounds: 6, seed, arrivalMs: ARRIVAL_MS },
    signal: AbortSignal.any([signal, found.signal]),
    onFinding: () => found.abort(),
  });
  return findings.length > 0;
}
