import { AgnoChatError } from "../errors.js";
import { InMemory } from "../memory/in-memory.js";
import type { Awaitable } from "../memory/memory.js";
import type { Model } from "../models/model.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import { atOnce } from "./at-once.js";
import { plantedLeaks } from "./doubles/judge-the-judge.js";
import { randomSeed } from "./random.js";
import type { RecordedRequest } from "./recorder.js";
import { reportOf, type VerifyReport } from "./report/report.js";
import {
  AGENT_RUNS,
  AGENT_USERS,
  type AgentOptions,
  LIBRARY_CHECKS,
  type TargetParts,
  verifyAgent,
} from "./targets/agent.js";
import { checksOf } from "./targets/app.js";
import { LIVE_ROUNDS, LIVE_USERS, verifyLive } from "./targets/live.js";
import { verifyAdapter } from "./targets/model.js";
import { APP_RUNS, APP_USERS, verifySend } from "./targets/send.js";
import {
  checkTarget,
  type SendTarget,
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
  return [AGENT_USERS, AGENT_RUNS];
}

function partsFor(target: VerifyTarget, options: AgentOptions): Promise<TargetParts> {
  if ("send" in target) return sendParts(target, options);
  if (!("model" in target)) return verifyAgent(target, options);
  const { model } = target;
  return typeof model === "function" ? adapterParts(model, options) : modelParts(model, options);
}

async function sendParts(target: SendTarget, options: AgentOptions) {
  const result = await verifySend(target, options);
  return {
    ...{ results: [result], evidence: [result.evidence], gaps: result.gaps },
    notProved: result.notProved,
    checks: checksOf(result, target.clear !== undefined),
  };
}

async function adapterParts(
  open: (upstream: VerifyUpstream) => Awaitable<Model>,
  { users, ...options }: AgentOptions,
): Promise<TargetParts> {
  const result = await verifyAdapter(open, { ...options, users: userIds(users) });
  const checks = LIBRARY_CHECKS.filter((check) => check !== "bystanders");
  return { results: [result], evidence: ["sent", "store"], checks };
}

const UNSEEN = "what the model sends on was not seen: give a function of the base URL instead";

async function modelParts(model: Model, options: AgentOptions): Promise<TargetParts> {
  const memory = new InMemory();
  const { result, gaps, ...rest } = await verifyLive({ ...options, model, memory });
  return { ...rest, results: [result], evidence: ["replies"], gaps: [...gaps, UNSEEN] };
}

/**
 * @param prefix What stands before the names where they are written: `--` on a command line.
 * @throws {AgnoChatError} `USAGE`
 */
export function checkCounts(users: number, runs: number, prefix = ""): void {
  if (!Number.isInteger(users) || users < FEWEST_USERS || users > MOST_USERS)
    throw new AgnoChatError(
      "USAGE",
      `${prefix}users must be a whole number from ${FEWEST_USERS} to ${MOST_USERS}, not ${users}.`,
    );
  if (!Number.isInteger(runs) || runs < users)
    throw new AgnoChatError(
      "USAGE",
      `${prefix}runs must be at least the number of users, ${users}, not ${runs}.`,
    );
}
