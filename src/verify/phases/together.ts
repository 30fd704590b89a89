import type { UserId } from "../../ids.js";
import type { Clearer, Door, Reader } from "../doors/door.js";
import { type Finding, isOf, reasonOf, type Whose, whoseOf } from "../finding.js";
import { finding, judgeInterleaved, judgeReply, type Sighting } from "../judge.js";
import type { Ledger, PlantedRun } from "../ledger.js";
import type { OtherProcess } from "../processes/other-process.js";
import type { JudgeRequest } from "../recorder.js";
import { inTurn, type Stage } from "../stage.js";

const PROCESSES = 3;
const RUNS = 3;

const KEPT = "was answered, though its history was cleared meanwhile";

/** Several processes that write to the same sessions at once. */
export class Together {
  readonly #ledger: Ledger;
  /** Whose runs, by process, in the order in which it began them. */
  readonly #begun: readonly PlantedRun[][] = Array.from({ length: PROCESSES }, () => []);
  readonly #answered = new Set<PlantedRun>();
  /** The runs that any process had answered before a run began. */
  readonly #earlier = new Map<PlantedRun, readonly PlantedRun[]>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** A request holds whole runs, and every one of its session that was answered before it. */
  readonly judge: JudgeRequest = (run, messages, request) => {
    const sighting: Sighting = { check: "together", by: whoseOf(run), door: run.door, request };
    const history = messages.filter(({ role }) => role !== "system");
    const runs = [...(this.#earlier.get(run) ?? []), run];
    const expected = { processes: this.#processesOf(run), runs };
    return judgeInterleaved(history, expected, sighting, this.#ledger).findings;
  };

  async run(stage: Stage, start: () => Promise<OtherProcess>): Promise<void> {
    const processes = await startAll(start);
    try {
      stage.gate.hold();
      const sent = processes.flatMap((process, index) =>
        stage.users.map((userId) => this.#converse(stage, process, index, userId)),
      );
      await stage.arrived(sent.length);
      await stage.gate.release("shuffled");
      await Promise.all(sent);
      for (const process of processes) await this.#findOrders(stage, process);
      await this.#takeTurns(stage, processes);
      await this.#clearDuringRuns(stage, processes);
      const [first] = processes as [OtherProcess];
      await this.#findOrders(stage, first);
      // By now the order is known, so that all must read exactly the same.
      for (const { readers } of processes)
        for (const userId of stage.users)
          await stage.readBack(stage.whose(userId), "together", readers);
    } finally {
      await Promise.all(processes.map((process) => process.close()));
    }
  }

  /** The runs of one user in one process, one after the other. */
  async #converse(
    stage: Stage,
    { doors }: OtherProcess,
    index: number,
    userId: UserId,
  ): Promise<void> {
    for (let count = 0; count < RUNS && !stage.signal.aborted; count++)
      await this.#send(stage, inTurn(doors, count), index, stage.whose(userId));
  }

  /** Each process has read the sessions, and must still notice what the others add. */
  async #takeTurns(stage: Stage, processes: readonly OtherProcess[]): Promise<void> {
    for (const [index, { doors }] of processes.entries())
      for (const userId of stage.users)
        await this.#send(stage, doors[0] as Door, index, stage.whose(userId));
  }

  /** One process clears a user whose runs are under way in the others: these store nothing. */
  async #clearDuringRuns(stage: Stage, processes: readonly OtherProcess[]): Promise<void> {
    const [clearing, ...others] = processes as [OtherProcess, ...OtherProcess[]];
    const [clearer] = clearing.clearers as [Clearer];
    const [userId] = stage.users;
    if (userId === undefined || stage.signal.aborted) return;
    const whose = stage.whose(userId);
    stage.gate.hold((run) => run.userId === userId);
    const sent = others.map(({ doors }, index) =>
      this.#send(stage, doors[0] as Door, index + 1, whose),
    );
    await stage.arrived(sent.length, sent);
    await stage.clear(clearer, userId);
    await stage.gate.release("together");
    await Promise.all(sent);
    for (const [index, { doors }] of processes.entries())
      await this.#send(stage, doors[0] as Door, index, whose);
  }

  async #findOrders(stage: Stage, process: OtherProcess): Promise<void> {
    for (const userId of stage.users) await this.#findOrder(stage, stage.whose(userId), process);
  }

  async #send(stage: Stage, door: Door, index: number, whose: Whose): Promise<void> {
    const run = this.#ledger.begin(whose, { door: door.name });
    const earlier = this.#answeredOf(run);
    this.#earlier.set(run, earlier);
    this.#begun[index]?.push(run);
    const sighting: Sighting = { check: "together", by: whoseOf(run), door: door.name };
    try {
      const reply = await door.send({ ...whoseOf(run), text: run.text }, stage.signal);
      this.#answered.add(run);
      stage.reached.add(door.name);
      stage.report(judgeReply(reply, run, sighting, this.#ledger));
      if (run.cleared)
        stage.report([finding("error", sighting, { where: "run", run, text: KEPT })]);
    } catch (thrown) {
      run.outcome = run.cleared ? "dropped" : "uncertain";
      const text = `failed: ${reasonOf(thrown)}`;
      const found: Finding = finding("error", sighting, { where: "run", run, text });
      if (!run.cleared && !stage.signal.aborted) stage.report([found]);
    }
    run.answered = true;
  }

  async #findOrder(stage: Stage, whose: Whose, { readers }: OtherProcess): Promise<void> {
    const [reader] = readers as [Reader];
    const { messages = [] } = await reader.read(whose);
    const runs = this.#answeredOf(whose);
    const sighting: Sighting = { check: "together", by: whose, door: reader.name };
    const expected = { processes: this.#processesOf(whose), runs };
    const { findings, seen } = judgeInterleaved(messages, expected, sighting, this.#ledger);
    stage.report(findings);
    this.#ledger.reorder(whose, seen);
  }

  #answeredOf(whose: Whose): readonly PlantedRun[] {
    return [...this.#answered].filter((run) => isOf(run, whose) && !run.cleared);
  }

  #processesOf(whose: Whose): readonly (readonly PlantedRun[])[] {
    return this.#begun.map((runs) => runs.filter((run) => isOf(run, whose) && !run.cleared));
  }
}

/** Waits for all; rejects if any rejects. */
async function startAll(start: () => Promise<OtherProcess>): Promise<readonly OtherProcess[]> {
  const starts = await Promise.allSettled(Array.from({ length: PROCESSES }, start));
  const processes = starts.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failed = starts.find((one) => one.status === "rejected");
  if (failed === undefined) return processes;
  await Promise.all(processes.map((process) => process.close()));
  throw failed.reason;
}
