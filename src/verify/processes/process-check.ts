import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BatteryOptions, type BatteryResult, INSTRUCTIONS } from "../battery.js";
import { commandLineDoors } from "../doors/command-line.js";
import { NO_DOORS } from "../doors/door.js";
import { type CheckName, reasonOf } from "../finding.js";
import { Findings } from "../findings.js";
import { Gate } from "../gate.js";
import { Ledger } from "../ledger.js";
import { commandLine } from "../phases/command-line.js";
import { killed } from "../phases/killed.js";
import { Together } from "../phases/together.js";
import { probeTools } from "../probe-tools.js";
import { Random } from "../random.js";
import { type JudgeRequest, Recorder } from "../recorder.js";
import { RecordingModel } from "../recording-model.js";
import { ARRIVAL_MS, Stage } from "../stage.js";
import { openUpstream } from "../upstream.js";
import { SESSIONS } from "../users.js";
import type { SharedParts, StartProcess } from "./other-process.js";

export interface ProcessCheckOptions
  extends Pick<BatteryOptions, "users" | "seed" | "signal" | "record" | "onFinding"> {
  readonly startProcess: StartProcess;
}

/** Kills processes that write to a memory. */
export async function checkKilled(options: ProcessCheckOptions): Promise<BatteryResult> {
  const random = new Random(options.seed);
  const { stage, parts } = setUp(options, {
    random,
    ledger: new Ledger(random),
    instructions: INSTRUCTIONS,
  });
  await attempt(stage, "killed", () => killed(stage, () => options.startProcess(parts)));
  return resultOf(stage);
}

/** Lets several processes write to a memory at once. */
export async function checkTogether(options: ProcessCheckOptions): Promise<BatteryResult> {
  const random = new Random(options.seed);
  const ledger = new Ledger(random);
  const together = new Together(ledger);
  const { stage, parts } = setUp(options, { random, ledger, judge: together.judge });
  await attempt(stage, "together", () => together.run(stage, () => options.startProcess(parts)));
  return resultOf(stage);
}

/** On a busy machine it takes a while until a command has started. */
const COMMAND_MS = 20_000;

/** Uses the command line, with the check as its model. */
export async function checkCommandLine({
  spec,
  ...options
}: Omit<ProcessCheckOptions, "startProcess"> & { readonly spec: string }): Promise<BatteryResult> {
  const random = new Random(options.seed);
  const judging = { random, ledger: new Ledger(random), arrivalMs: COMMAND_MS };
  const { stage } = setUp(options, judging);
  const { recorder, signal } = stage;
  const answer = recorder.receive.bind(recorder);
  const upstream = await openUpstream({ host: "127.0.0.1", port: 0, answer });
  const home = await mkdtemp(join(tmpdir(), "agno-chat-verify-"));
  try {
    const doors = commandLineDoors({ spec, baseUrl: upstream.url, home, signal });
    await commandLine(stage, doors);
  } finally {
    await upstream.close();
    await rm(home, { recursive: true, force: true });
  }
  return resultOf(stage);
}

interface Judging {
  readonly random: Random;
  readonly ledger: Ledger;
  readonly judge?: JudgeRequest;
  readonly instructions?: string;
  /** Default: `ARRIVAL_MS`. */
  readonly arrivalMs?: number;
}

/** A stage without ways in of its own, and what agents in other processes are made of. */
function setUp(
  { users, signal, record, onFinding }: Omit<ProcessCheckOptions, "startProcess">,
  { random, ledger, judge, instructions, arrivalMs = ARRIVAL_MS }: Judging,
) {
  const gate = new Gate(random);
  const findings = new Findings(onFinding);
  const { report } = findings;
  const judging = { ledger, gate, report, exact: true, ...(instructions && { instructions }) };
  const recorder = new Recorder({ ...judging, judge, record });
  const stage = new Stage({
    ...{ ledger, recorder, gate, random, users, sessions: SESSIONS, findings, signal },
    ...{ ...NO_DOORS, exact: true, arrivalMs },
  });
  const parts: SharedParts = {
    model: new RecordingModel(recorder),
    toolkits: [probeTools(ledger, report)],
    instructions: INSTRUCTIONS,
  };
  return { stage, parts };
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

const resultOf = ({ users, findings, ledger, recorder, reached }: Stage): BatteryResult => ({
  ...{ users, findings: findings.all, ledger, requests: recorder.requests, doors: [...reached] },
  ...{ pairs: recorder.pairsOf(users), attacks: 0, notReached: [] },
});
