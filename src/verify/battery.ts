import { Agent } from "../agent/agent.js";
import type { UserId } from "../ids.js";
import type { Awaitable, Memory } from "../memory/memory.js";
import type { Model } from "../models/model.js";
import type { Toolkit } from "../tools/tool.js";
import { type Door, type Doors, NO_DOORS } from "./doors/door.js";
import { libraryDoors, type VerifiedAgent } from "./doors/library.js";
import { pictureDoors } from "./doors/pictures.js";
import type { Finding } from "./finding.js";
import { Findings, type Report } from "./findings.js";
import { Gate } from "./gate.js";
import { Ledger } from "./ledger.js";
import { attacks } from "./phases/attacks.js";
import { clears } from "./phases/clears.js";
import { edits } from "./phases/edits.js";
import { failures } from "./phases/failures.js";
import { limits } from "./phases/limits.js";
import { overlap } from "./phases/overlap.js";
import { queue } from "./phases/queue.js";
import { reopened } from "./phases/reopened.js";
import { sameWords } from "./phases/same-words.js";
import { probeTools } from "./probe-tools.js";
import type { StartProcess } from "./processes/other-process.js";
import { Random } from "./random.js";
import { type RecordedRequest, Recorder } from "./recorder.js";
import { RecordingModel } from "./recording-model.js";
import { ARRIVAL_MS, Stage } from "./stage.js";
import { SESSIONS } from "./users.js";

/** What the check gives to the agent it checks. */
export interface AgentParts {
  readonly model: Model;
  readonly toolkits: readonly Toolkit[];
  readonly instructions: string;
  readonly historyLimit?: number;
  readonly historyTokens?: number;
}

/** An agent to be checked, and its memory. */
export interface AgentUnderCheck {
  readonly agent: VerifiedAgent;
  readonly memory: Memory;
}

export interface BatteryOptions {
  /** Builds the agent around the parts; called more than once, always over the same memory. */
  readonly open: (parts: AgentParts) => AgentUnderCheck;
  /** Starts another process on the same memory. */
  readonly startProcess?: StartProcess | undefined;
  /** More ways in, beside the library's. */
  readonly openDoors?: ((under: AgentUnderCheck) => Promise<Doors>) | undefined;
  readonly users: readonly UserId[];
  readonly rounds: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly record?: ((request: RecordedRequest) => void) | undefined;
  /** Takes what the check is doing, in a few words. */
  readonly onProgress?: ((what: string) => void) | undefined;
  /** The phases, in place of all there are. */
  readonly phases?: ((stage: Stage, parts: AgentParts) => Promise<void>) | undefined;
  /** More phases, after the others. */
  readonly also?: (stage: Stage) => Promise<void>;
  /** Opens what answers in place of the check's own model, and asks the recorder or tells it. */
  readonly openModel?: (recorder: Recorder, report: Report) => Awaitable<Model>;
  /** Whether messages must be equal, and not only the planted texts in them. Default: true. */
  readonly exact?: boolean;
  /** Takes the findings as they are made. */
  readonly onFinding?: Report;
  /** How long runs may take to get under way before somebody counts as blocked. */
  readonly arrivalMs?: number;
}

/** What a battery of checks saw. */
export interface BatteryResult {
  readonly users: readonly UserId[];
  readonly findings: readonly Finding[];
  readonly ledger: Ledger;
  readonly requests: number;
  /** Pairs of users, and how many of them had runs at the model at the same time. */
  readonly pairs: { readonly overlapped: number; readonly of: number };
  readonly doors: readonly string[];
  /** How many ways there were to ask for the data of others. */
  readonly attacks: number;
  /** Doors, readers and attacks that were not used. */
  readonly notReached: readonly string[];
}

export const INSTRUCTIONS = "You remember what you are told.";

/** Few enough that the window is shorter than the histories. */
const SHORT_WINDOWS = { historyLimit: 4, historyTokens: 200 };

/** Drives an agent through every check. */
export async function runBattery(options: BatteryOptions): Promise<BatteryResult> {
  const random = new Random(options.seed);
  const ledger = new Ledger(random);
  const gate = new Gate(random);
  const findings = new Findings(options.onFinding);
  const { report } = findings;
  const { exact = true, openModel } = options;
  const judge = { ledger, gate, report, exact, instructions: INSTRUCTIONS };
  const recorder = new Recorder({ ...judge, record: options.record });
  const parts: AgentParts = {
    model: (await openModel?.(recorder, report)) ?? new RecordingModel(recorder),
    toolkits: [probeTools(ledger, report)],
    instructions: INSTRUCTIONS,
  };
  const under = options.open(parts);
  const library = libraryDoors(under.agent, under.memory);
  // Another model may not look at pictures.
  const pictures = openModel === undefined ? pictureDoors(under.agent, under.memory) : [];
  const { users, signal } = options;
  let more = NO_DOORS;
  try {
    more = (await options.openDoors?.(under)) ?? NO_DOORS;
    const stage = new Stage({
      ...{ ledger, recorder, gate, random, users, sessions: SESSIONS, findings, signal, exact },
      arrivalMs: options.arrivalMs ?? ARRIVAL_MS,
      doors: [...library.doors, ...pictures, ...more.doors],
      readers: [...library.readers, ...more.readers],
      clearers: [...library.clearers, ...more.clearers],
      // Phases of somebody else's may have no use for them.
      editors: options.phases === undefined ? (library.editors ?? []) : [],
      attacks: more.attacks,
      forgeries: more.forgeries,
    });
    await (options.phases ?? runPhases)(stage, parts);
    return resultOf(stage);
  } finally {
    await gate.release("together");
    await more.close?.();
  }

  async function runPhases(stage: Stage): Promise<void> {
    const { rounds, open, startProcess, onProgress } = options;
    const windowed = Object.entries(SHORT_WINDOWS).map(([option, value]) => {
      const { agent, memory } = open({ ...parts, [option]: value });
      const [door] = libraryDoors(agent, memory).doors as [Door, ...Door[]];
      return { ...door, name: `${door.name} with ${option}` };
    });
    // Until it is needed, it has time to start.
    const other = startProcess?.(parts);
    const close = other?.then(
      (process) => process.close,
      () => undefined,
    );
    const phases: readonly [name: string, phase: () => Promise<unknown>][] = [
      ["overlap", () => overlap(stage, rounds, onProgress)],
      ["queue", () => queue(stage)],
      ["same words", () => sameWords(stage)],
      ["failures", () => failures(stage)],
      ["limits", () => limits(stage, windowed)],
      ["attacks", () => attacks(stage)],
      ["reading back", () => stage.readAllBack()],
      ["edits", () => edits(stage)],
      ["clears", () => clears(stage)],
      ["another process", async () => other && reopened(stage, other)],
      ["removing users", async () => options.also?.(stage)],
    ];
    try {
      for (const [name, phase] of phases) {
        if (stage.signal.aborted) return;
        onProgress?.(name);
        await phase();
      }
    } finally {
      await (await close)?.();
    }
  }
}

function resultOf(stage: Stage): BatteryResult {
  const { users, findings, recorder, ledger, reached } = stage;
  const { editors } = stage;
  const harmless = [...stage.doors, ...stage.readers, ...stage.clearers, ...editors];
  const hostile = [...stage.attacks, ...stage.forgeries];
  const doors = [...harmless, ...hostile].map(({ name }) => name);
  return {
    ...{ users, findings: findings.all, ledger, requests: recorder.requests, doors },
    attacks: hostile.length,
    pairs: recorder.pairsOf(users),
    notReached: doors.filter((name) => !reached.has(name)),
  };
}

/** Our own agent over a memory, with more tools if there are any. */
export const agentOver =
  (memory: Memory, more: readonly Toolkit[] = []) =>
  (parts: AgentParts): AgentUnderCheck => {
    const toolkits = [...parts.toolkits, ...more];
    return { agent: new Agent({ ...parts, toolkits, memory }), memory };
  };
