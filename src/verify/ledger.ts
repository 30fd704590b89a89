import type { SessionId, UserId } from "../ids.js";
import type { JsonValue } from "../memory/memory.js";
import type { Message } from "../messages.js";
import { Canaries, type Canary } from "./canary.js";
import type { Whose } from "./finding.js";
import type { Random } from "./random.js";

/**
 * What must become of a run. `uncertain`: the connection broke, so it may be there or not, but only
 * whole.
 */
export type Outcome = "stored" | "dropped" | "interrupted" | "uncertain";

/**
 * How the model behaves in a run: it answers at once, calls the probe tools first, fails, or stops
 * midway through its answer until the run is cancelled.
 */
export type Plan = "reply" | "tools" | "fail" | "stop-midway";

/** The first word of every planted message, unless it is sent in the words of others. */
export const PLANTED_WORD = "Remember";

/** One input that the check sends, and everything that belongs to it. */
export interface PlantedRun extends Whose {
  /** From 1, in the order of the calls. */
  readonly number: number;
  /** Its texts come from here. */
  readonly random: Random;
  readonly door: string;
  readonly text: string;
  readonly plan: Plan;
  /** It was sent in the same words as those of other users. */
  readonly sameWords: boolean;
  outcome: Outcome;
  /** Its messages so far, the user message first. */
  readonly messages: Message[];
  /** The model gave its final answer: the next run of the session must hold it. */
  answered: boolean;
  cleared: boolean;
  /** How many requests it made. */
  requests: number;
  /** The results of the tools it called last, by the name of the tool. */
  readonly toolResults: Map<string, string>;
  /** The session state as its tools left it. */
  state: Map<string, JsonValue> | undefined;
}

export type RunCanary = Canary<PlantedRun>;

/** What one session of one user must hold. */
export interface Conversation extends Whose {
  readonly runs: PlantedRun[];
  state: Map<string, JsonValue>;
}

export interface RunText {
  readonly door: string;
  /** Words that do not tell one user from another, in place of a canary. */
  readonly sameWords?: string | undefined;
  /** Words before the canary. */
  readonly before?: string | undefined;
  readonly plan?: Plan | undefined;
  /** Default: `stored`. */
  readonly outcome?: Outcome | undefined;
}

/** What each user and session must hold, by what was planted. */
export class Ledger {
  readonly canaries = new Canaries<PlantedRun>(({ random }) => random);
  readonly #random: Random;
  readonly #conversations = new Map<string, Conversation>();
  #runs = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get runs(): number {
    return this.#runs;
  }

  get conversations(): readonly Conversation[] {
    return [...this.#conversations.values()];
  }

  conversation({ userId, sessionId }: Whose): Conversation {
    const key = JSON.stringify([userId, sessionId]);
    const found = this.#conversations.get(key);
    if (found !== undefined) return found;
    const made: Conversation = { userId, sessionId, runs: [], state: new Map() };
    this.#conversations.set(key, made);
    return made;
  }

  /** Puts a run at the end of its conversation. Call it in the order in which runs are sent. */
  begin(
    { userId, sessionId }: Whose,
    { door, sameWords, before = "", plan = "reply", outcome = "stored" }: RunText,
  ): PlantedRun {
    const run = {
      ...{ userId, sessionId, number: ++this.#runs, door, plan, outcome, text: "" },
      ...{ sameWords: sameWords !== undefined, random: this.#random.fork() },
      ...{ messages: [] as Message[], answered: false, cleared: false, requests: 0 },
      ...{ toolResults: new Map<string, string>(), state: undefined },
    };
    run.text = sameWords ?? `${before}${PLANTED_WORD} ${this.canaries.plant("message", run)}.`;
    run.messages.push({ role: "user", content: run.text });
    this.conversation(run).runs.push(run);
    return run;
  }

  /** Takes out a run that the app did not accept, until it is sent again. */
  takeBack(run: PlantedRun): void {
    const { runs } = this.conversation(run);
    runs.splice(runs.indexOf(run), 1);
  }

  /** Puts a run that was taken back at the end of its conversation. */
  sendAgain(run: PlantedRun): void {
    this.conversation(run).runs.push(run);
  }

  /** Adds the model's final answer to a run: from here on the session must hold it. */
  answer(run: PlantedRun, message: Message): void {
    run.messages.push(message);
    run.answered = true;
    if (isExpected(run) && run.state !== undefined) this.conversation(run).state = run.state;
  }

  /** The runs that a request of this run must hold, oldest first. */
  before(run: PlantedRun): PlantedRun[] {
    const { runs } = this.conversation(run);
    return runs.slice(0, runs.indexOf(run)).filter(isExpected);
  }

  /** The runs that a session must hold now, oldest first. */
  kept(whose: Whose): PlantedRun[] {
    return this.conversation(whose).runs.filter((run) => isExpected(run) && run.answered);
  }

  /** Notes what became of a run that might have been stored or not. */
  settle(run: PlantedRun, outcome: "stored" | "dropped"): void {
    run.outcome = outcome;
    const conversation = this.conversation(run);
    const latest = conversation.runs.findLast((one) => isExpected(one) && one.state !== undefined);
    conversation.state = latest?.state ?? new Map();
  }

  /** Notes in which order the runs of a session were stored, when they were not queued. */
  reorder(whose: Whose, stored: readonly PlantedRun[]): void {
    const { runs } = this.conversation(whose);
    runs.sort((one, other) => stored.indexOf(one) - stored.indexOf(other));
  }

  /** Notes that the last runs of a session were taken back, with what they changed of the state. */
  undo(whose: Whose, runs: number): void {
    const kept = this.kept(whose);
    for (const run of kept.slice(-runs)) run.cleared = true;
    const latest = kept.slice(0, -runs).findLast(({ state }) => state !== undefined);
    this.conversation(whose).state = latest?.state ?? new Map();
  }

  /** Notes that all runs of a session but the last one were deleted, without its state. */
  clearAllButLast(whose: Whose): void {
    for (const run of this.kept(whose).slice(0, -1)) run.cleared = true;
  }

  /** Notes that a user, or one session of that user, was cleared. */
  clear(userId: UserId, sessionId?: SessionId): void {
    for (const conversation of this.conversations) {
      if (conversation.userId !== userId) continue;
      if (sessionId !== undefined && conversation.sessionId !== sessionId) continue;
      for (const run of conversation.runs) run.cleared = true;
      conversation.state = new Map();
    }
  }
}

const isExpected = ({ outcome, cleared }: PlantedRun): boolean =>
  !cleared && (outcome === "stored" || outcome === "interrupted");
