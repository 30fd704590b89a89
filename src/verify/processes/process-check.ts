import { type BatteryOptions, type BatteryResult, INSTRUCTIONS } from "../battery.js";
import type { CheckName, Finding } from "../finding.js";
import { Gate } from "../gate.js";
import { Ledger } from "../ledger.js";
import { killed } from "../phases/killed.js";
import { Together } from "../phases/together.js";
import { probeTools } from "../probe-tools.js";
import { Random } from "../random.js";
import { type JudgeRequest, Recorder } from "../recorder.js";
import { RecordingModel } from "../recording-model.js";
import { reasonOf, Stage } from "../stage.js";
import { SESSIONS } from "../users.js";
import type { SharedParts, StartProcess } from "./other-process.js";

export interface ProcessCheckOptions
  extends Pick<BatteryOptions, "users" | "seed" | "signal" | "record" | "onFinding"> {
  readonly startProcess: StartProcess;
}

/** Kills processes that write to a memory. */
export async function checkKilled(options: ProcessCheckOptions): Promise<BatteryResult> {
  const random = new Random(options.seed);
  const { stage, parts, findings } = setUp(options, { random, ledger: new Ledger(random) });
  await attempt(stage, "killed", () => killed(stage, () => options.startProcess(parts)));
  return resultOf(stage, findings);
}

/** Lets several processes write to a memory at once. */
export async function checkTogether(options: ProcessCheckOptions): Promise<BatteryResult> {
  const random = new Random(options.seed);
  const ledger = new Ledger(random);
  const together = new Together(ledger);
  const { stage, parts, findings } = setUp(options, { random, ledger, judge: together.judge });
  await attempt(stage, "together", () => together.run(stage, () => options.startProcess(parts)));
  return resultOf(stage, findings);
}

interface Judging {
  readonly random: Random;
  readonly ledger: Ledger;
  readonly judge?: JudgeRequest;
}

/** A stage without ways in of its own, and what agents in other processes are made of. */
function setUp(
  { users, signal, record, onFinding }: ProcessCheckOptions,
  { random, ledger, judge }: Judging,
) {
  const gate = new Gate(random);
  const findings: Finding[] = [];
  const report = (found: readonly Finding[]): void => {
    findings.push(...found);
    if (found.length > 0) onFinding?.();
  };
  const judging = { ledger, gate, report, exact: true, instructions: INSTRUCTIONS };
  const recorder = new Recorder({ ...judging, judge, record });
  const stage = new Stage({
    ...{ ledger, recorder, gate, random, users, sessions: SESSIONS, report, signal },
    ...{ doors: [], readers: [], clearers: [], attacks: [], forgeries: [] },
    ...{ exact: true, arrivalMs: 2000 },
  });
  const parts: SharedParts = {
    model: new RecordingModel(recorder),
    toolkits: [probeTools(ledger, report)],
    instructions: INSTRUCTIONS,
  };
  return { stage, parts, findings };
}

/** A process that cannot be started, or ends by itself, is a finding. */
async function attempt(
  stage: Stage,
  check: CheckName,
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    if (stage.signal.aborted) return;
    const text = `another process failed: ${reasonOf(thrown)}`;
    const place = { door: "another process", where: "store" } as const;
    stage.report([{ check, kind: "error", ...place, text }]);
  }
}

const resultOf = (
  { users, ledger, recorder, reached }: Stage,
  findings: readonly Finding[],
): BatteryResult => ({
  ...{ users, findings, ledger, requests: recorder.requests, doors: [...reached] },
  ...{ pairs: recorder.pairsOf(users), attacks: 0, notReached: [] },
});
