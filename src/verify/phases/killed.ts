import { type Finding, reasonOf, type Whose, whoseOf } from "../finding.js";
import { finding, judgeReply, type Sighting } from "../judge.js";
import type { Plan, PlantedRun } from "../ledger.js";
import { type OtherProcess, ProcessEnded } from "../processes/other-process.js";
import { inTurn, type Stage } from "../stage.js";

const KILLS = 3;

/**
 * Kills a process again and again while everybody's runs are under way. What it had answered must
 * be stored, and every other run whole or not at all.
 */
export async function killed(stage: Stage, start: () => Promise<OtherProcess>): Promise<void> {
  let process = await start();
  try {
    await everybody(stage, process, "tools");
    for (let kills = 0; kills < KILLS && !stage.signal.aborted; kills++) {
      const runs = await killAmong(stage, process, kills % 2 === 0 ? "tools" : "reply");
      process = await start();
      for (const run of runs) await settle(stage, process, run);
      for (const userId of stage.users)
        await stage.readBack(stage.whose(userId), "killed", process.readers);
    }
  } finally {
    await process.close();
  }
}

const everybody = (stage: Stage, process: OtherProcess, plan: Plan): Promise<PlantedRun[]> =>
  Promise.all(
    stage.users.map((userId) => sendTo(process, stage.whose(userId), { stage, plan }, () => {})),
  );

/** Starts two runs of each user at once, and kills the process once some are answered. */
async function killAmong(stage: Stage, process: OtherProcess, plan: Plan): Promise<PlantedRun[]> {
  const whoses = stage.users.flatMap((userId) => [0, 0].map(() => stage.whose(userId)));
  let left = stage.random.below(whoses.length - 1);
  const onAnswer = (): void => {
    if (left-- === 0) process.kill();
  };
  stage.gate.hold();
  const sent = whoses.map((whose) => sendTo(process, whose, { stage, plan }, onAnswer));
  await stage.arrived(stage.users.length);
  await stage.gate.release("staggered");
  const runs = await Promise.all(sent);
  // If the store fails, no run is ever answered.
  process.kill();
  return runs.filter(({ outcome }) => outcome === "uncertain");
}

async function sendTo(
  { doors }: OtherProcess,
  whose: Whose,
  { stage, plan }: { readonly stage: Stage; readonly plan: Plan },
  onAnswer: () => void,
): Promise<PlantedRun> {
  const door = inTurn(doors, stage.ledger.runs);
  const run = stage.ledger.begin(whose, { door: door.name, plan });
  const sighting: Sighting = { check: "killed", by: whoseOf(run), door: door.name };
  try {
    const reply = await door.send({ ...whoseOf(run), text: run.text }, stage.signal);
    onAnswer();
    stage.reached.add(door.name);
    stage.report(judgeReply(reply, run, sighting, stage.ledger));
  } catch (thrown) {
    run.outcome = "uncertain";
    const isPlanned = thrown instanceof ProcessEnded || stage.signal.aborted;
    if (!isPlanned) stage.report([failure(run, sighting, `failed: ${reasonOf(thrown)}`)]);
  }
  run.answered = true;
  return run;
}

/** Checks whether a run that was not answered is stored. */
async function settle(stage: Stage, { readers }: OtherProcess, run: PlantedRun): Promise<void> {
  const [reader] = readers as [OtherProcess["readers"][number]];
  const sighting: Sighting = { check: "killed", by: whoseOf(run), door: reader.name };
  const reading = await reader.read(run);
  const seen = stage.ledger.canaries.in(JSON.stringify(reading));
  const isThere = seen.some(({ owner }) => owner === run);
  stage.ledger.settle(run, isThere ? "stored" : "dropped");
  const last = run.messages.at(-1);
  const isWhole = last?.role === "assistant" && last.toolCalls === undefined;
  if (isThere && !isWhole)
    stage.report([failure(run, sighting, "has a part of a run that its process did not end")]);
}

const failure = (run: PlantedRun, sighting: Sighting, text: string): Finding =>
  finding("error", sighting, { where: "run", run, text });
