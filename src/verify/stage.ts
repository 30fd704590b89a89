import type { SessionId, UserId } from "../ids.js";
import type { StoredMessage } from "../messages.js";
import type { Clearer, Door, Doors, Editor, Outgoing, Reader, Reading } from "./doors/door.js";
import {
  type CheckName,
  type Finding,
  type FindingKind,
  reasonOf,
  saidBy,
  type Whose,
  whoseOf,
} from "./finding.js";
import type { Findings, Report } from "./findings.js";
import type { Gate, Release } from "./gate.js";
import {
  judgeDocument,
  judgeFound,
  judgeMessages,
  judgeReply,
  judgeRest,
  type Sighting,
} from "./judge.js";
import type { Ledger, Outcome, Plan, PlantedRun } from "./ledger.js";
import { judgeState } from "./probe-tools.js";
import type { Random } from "./random.js";
import type { Recorder } from "./recorder.js";

export interface StageParts extends Doors {
  readonly ledger: Ledger;
  readonly recorder: Recorder;
  readonly gate: Gate;
  readonly random: Random;
  readonly users: readonly UserId[];
  readonly sessions: readonly SessionId[];
  readonly findings: Findings;
  readonly signal: AbortSignal;
  /** How long runs may take to get under way before somebody counts as blocked. */
  readonly arrivalMs: number;
  /** Whether what is read must be equal, and not only the planted texts in it. */
  readonly exact: boolean;
}

export interface SendOptions {
  readonly door?: Door | undefined;
  readonly plan?: Plan;
  readonly sameWords?: string;
  /** Words before the text. */
  readonly before?: string | undefined;
  readonly outcome?: Outcome;
  /** The check that a wrong reply belongs to. Default: `replies`. */
  readonly check?: CheckName;
  /** Cancels this run alone. */
  readonly signal?: AbortSignal;
}

/** How long runs may take to get under way before somebody counts as blocked. */
export const ARRIVAL_MS = 2000;

/** As `ARRIVAL_MS`, where something is wrong already. */
export const FAULTY_MS = 100;

/** A run that has not come in time gets so many times as long again: the machine may be busy. */
export const MORE_TIME = 2;

/** Longer than any model takes, however often it is asked again. */
const LONGEST_RUN_MS = 300_000;

/** What the phases work with: the users, the ways in, and the judge. */
export class Stage {
  readonly ledger: Ledger;
  readonly recorder: Recorder;
  readonly gate: Gate;
  readonly random: Random;
  readonly users: readonly UserId[];
  readonly sessions: readonly SessionId[];
  readonly doors: readonly Door[];
  readonly readers: readonly Reader[];
  readonly clearers: readonly Clearer[];
  readonly editors: readonly Editor[];
  readonly attacks: Doors["attacks"];
  readonly forgeries: Doors["forgeries"];
  readonly findings: Findings;
  readonly report: Report;
  readonly signal: AbortSignal;
  #arrivalMs: number;
  readonly #exact: boolean;
  /** Names of doors, readers, clearers and attacks that were used. */
  readonly reached = new Set<string>();
  readonly #turns = new Map<string, number>();

  constructor(parts: StageParts) {
    this.ledger = parts.ledger;
    this.recorder = parts.recorder;
    this.gate = parts.gate;
    this.random = parts.random;
    this.users = parts.users;
    this.sessions = parts.sessions;
    this.doors = parts.doors;
    this.readers = parts.readers;
    this.clearers = parts.clearers;
    this.editors = parts.editors ?? [];
    this.attacks = parts.attacks;
    this.forgeries = parts.forgeries;
    this.findings = parts.findings;
    this.report = parts.findings.report;
    this.signal = parts.signal;
    this.#arrivalMs = parts.arrivalMs;
    this.#exact = parts.exact;
  }

  /** The user's session in a round. All users have the same session names. */
  whose(userId: UserId, round = 0): Whose {
    return { userId, sessionId: inTurn(this.sessions, round) };
  }

  /** The doors of each user in turn, so that everybody uses every one. */
  doorFor(userId: UserId): Door {
    return this.#nextOf(this.doors, userId, "any");
  }

  /** As `doorFor`, of the doors that keep the order of a session's messages. */
  orderedDoorFor(userId: UserId): Door {
    const ordered = this.doors.filter(({ atOnce }) => atOnce === undefined);
    return this.#nextOf(ordered, userId, "ordered");
  }

  /** As `doorFor`, for a round in which everybody's message is held: few go where few may be. */
  doorInRound(userId: UserId, round: number): Door {
    const narrow = this.doors.filter(({ atOnce }) => atOnce !== undefined);
    const places = Math.min(...narrow.map(({ atOnce = 0 }) => atOnce));
    const turn = (this.users.indexOf(userId) + round * places) % this.users.length;
    if (narrow.length === 0 || turn >= places) return this.orderedDoorFor(userId);
    return this.#nextOf(narrow, userId, "narrow");
  }

  #nextOf(doors: readonly Door[], userId: UserId, kind: string): Door {
    const key = `${kind} ${userId}`;
    const next = this.#turns.get(key) ?? this.users.indexOf(userId);
    this.#turns.set(key, next + 1);
    return inTurn(doors, next);
  }

  /** Users whose messages a door takes at once: others for each call. */
  crowdFor({ atOnce }: Door): readonly UserId[] {
    return atOnce === undefined ? this.users : this.random.shuffled(this.users).slice(0, atOnce);
  }

  /** Sends one message and judges the reply. Never rejects: an unplanned failure is a finding. */
  async send(whose: Whose, options: SendOptions): Promise<PlantedRun> {
    const door = options.door ?? this.doorFor(whose.userId);
    const { plan, outcome, sameWords, before } = options;
    const text = { door: door.name, plan, outcome, sameWords, before };
    const run = this.ledger.begin(whose, text);
    const sighting = this.#sightingOf(run, options.check ?? "replies");
    const signal = options.signal ?? this.signal;
    const told: string[] = [];
    const onAnswer = (answer: string): void => void told.push(answer);
    const message: Outgoing = { ...whoseOf(run), text: run.text, onAnswer };
    let reply = "";
    try {
      reply = await inTime(door.send(message, signal));
      this.reached.add(door.name);
      if (run.outcome === "dropped")
        this.#unexpected(sighting, run, "was answered, though it failed");
      else this.report(judgeReply(reply, run, sighting, this.ledger));
    } catch (thrown) {
      told.push(saidBy(thrown));
      if (this.signal.aborted) run.outcome = "uncertain";
      else if (run.outcome === "stored")
        this.#unexpected(sighting, run, `failed: ${reasonOf(thrown)}`);
    }
    this.report(judgeRest(told, { run, reply }, sighting, this.ledger));
    run.answered = true;
    return run;
  }

  /**
   * Holds runs of different users until all of them are at the model, then releases them. A run is
   * blocked by the others if it gets there only after they were let go. If it does not come then
   * either, the machine is slow, which is no fault.
   */
  async overlap(sends: () => Promise<unknown>[], release: Release): Promise<void> {
    if (this.signal.aborted) return;
    this.gate.hold();
    const sent = sends();
    const late = await this.#lateOf(sent);
    await this.gate.release(release);
    if (late.length > 0) await this.#reportBlocked(late);
    await Promise.all(sent);
  }

  /** The runs that do not get to the model, however much time they are given. */
  async #lateOf(sent: readonly Promise<unknown>[]): Promise<readonly PlantedRun[]> {
    if (await this.arrived(sent.length, sent)) return [];
    const timeoutMs = MORE_TIME * this.#arrivalMs;
    const { signal } = this;
    if ((await this.gate.full(sent.length, { timeoutMs, signal, sent })) || signal.aborted)
      return [];
    const held = this.gate.held;
    return this.ledger.conversations
      .flatMap(({ runs }) => runs)
      .filter(({ answered, outcome }) => !answered && outcome === "stored")
      .filter((run) => !held.includes(run));
  }

  /** Waits until so many runs are held at the model, or ended; false if they do not get there. */
  arrived(count: number, sent?: readonly Promise<unknown>[]): Promise<boolean> {
    const { signal } = this;
    return this.#inTime(this.gate.full(count, { timeoutMs: this.#arrivalMs, signal, sent }));
  }

  /** Waits until no run is held at the model any more; false if one still is. */
  left(): Promise<boolean> {
    return this.#inTime(this.gate.empty(this.#arrivalMs, this.signal));
  }

  /** Where something is wrong anyway, the whole time is waited out only once. */
  async #inTime(waiting: Promise<boolean>): Promise<boolean> {
    const isInTime = await waiting;
    if (!isInTime && this.findings.all.length > 0) this.#waitLess();
    return isInTime;
  }

  /** Clears a user, or one session, in one of the ways there are. */
  async clear(clearer: Clearer, userId: UserId, sessionId?: SessionId): Promise<void> {
    try {
      await clearer.clear(userId, sessionId);
      this.reached.add(clearer.name);
    } catch (thrown) {
      const by = { userId, sessionId: sessionId ?? "?" };
      const text = `could not be cleared: ${reasonOf(thrown)}`;
      const place = { check: "clears", door: clearer.name, where: "clear" } as const;
      this.report([{ ...place, kind: "error", by, text }]);
    }
    this.ledger.clear(userId, sessionId);
  }

  /** Takes back the last runs of a session. */
  async undo(editor: Editor, whose: Whose, runs: number): Promise<void> {
    await this.#edit(editor, whose, () => editor.undo(whose, runs));
    this.ledger.undo(whose, runs);
  }

  /** Copies a session. The copy is not in the ledger, so clear it before anything is read back. */
  async fork(editor: Editor, whose: Whose, to: SessionId): Promise<void> {
    await this.#edit(editor, whose, () => editor.fork(whose, to));
  }

  /** Leaves the session as it was. */
  async importAgain(editor: Editor, whose: Whose, named: UserId): Promise<void> {
    await this.#edit(editor, whose, async () => editor.importAgain?.(whose, named));
  }

  /** Deletes the runs of a session from before a moment, since when one was sent. */
  async clearBefore(editor: Editor, whose: Whose, before: number): Promise<void> {
    await this.#edit(editor, whose, () => editor.clearBefore(whose, before));
    this.ledger.clearAllButLast(whose);
  }

  async #edit(editor: Editor, whose: Whose, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      this.reached.add(editor.name);
    } catch (thrown) {
      const text = `could not be changed: ${reasonOf(thrown)}`;
      const sighting: Sighting = { check: "edits", by: whoseOf(whose), door: editor.name };
      this.report([{ ...sighting, kind: "error", where: "edit", text }]);
    }
  }

  /** Reads a session through every reader and compares it with what it must hold. */
  async readBack(whose: Whose, check: CheckName, readers = this.readers): Promise<void> {
    for (const reader of readers) await this.#read(reader, whose, check);
  }

  /** Reads every session of every user through every reader. */
  async readAllBack(check: CheckName = "stored", readers = this.readers): Promise<void> {
    const ofSession = readers.filter(({ ofUser }) => ofUser !== true);
    for (const userId of this.users)
      for (const [index, sessionId] of this.sessions.entries()) {
        if (this.signal.aborted) return;
        await this.readBack({ userId, sessionId }, check, index === 0 ? readers : ofSession);
      }
  }

  /** As `readAllBack`, with the readers spread over the sessions of each user. */
  async readBackInTurn(check: CheckName): Promise<void> {
    const { sessions, readers, users, signal } = this;
    for (const userId of users)
      for (const [place, sessionId] of sessions.entries()) {
        if (signal.aborted) return;
        const some = readers.filter((_, index) => index % sessions.length === place);
        await this.readBack({ userId, sessionId }, check, some);
      }
  }

  async #read(reader: Reader, whose: Whose, check: CheckName): Promise<void> {
    const sighting: Sighting = { check, by: whoseOf(whose), door: reader.name };
    try {
      this.report(this.#judgeReading(await reader.read(whose), whose, sighting));
      this.reached.add(reader.name);
    } catch (thrown) {
      const text = `could not be read: ${reasonOf(thrown)}`;
      this.report([{ ...sighting, kind: "error", where: "reader", text }]);
    }
  }

  #judgeReading(reading: Reading, whose: Whose, sighting: Sighting): Finding[] {
    const runs = this.ledger.kept(whose);
    const { messages, document, found: hits, count, state, sessions } = reading;
    const found: Finding[] = [];
    if (messages !== undefined)
      found.push(...judgeMessages(messages, { runs, exact: this.#exact }, sighting, this.ledger));
    for (const conversation of reading.allMessages === undefined ? [] : this.#sessionsOf(whose))
      found.push(...this.#judgeAmongAll(reading.allMessages ?? [], conversation, sighting));
    if (document !== undefined) found.push(...judgeDocument(document, runs, sighting, this.ledger));
    if (hits !== undefined) found.push(...judgeFound(hits, runs, sighting, this.ledger));
    if (state !== undefined)
      found.push(...judgeState(state, this.ledger.conversation(whose), sighting, this.ledger));
    if (count !== undefined) found.push(...this.#judgeCount(count, runs, sighting));
    if (sessions !== undefined) found.push(...this.#judgeSessions(sessions, sighting));
    return found;
  }

  #sessionsOf({ userId }: Whose): readonly Whose[] {
    return this.ledger.conversations.filter((one) => one.userId === userId);
  }

  /** The messages of one session among those of all. */
  #judgeAmongAll(all: readonly StoredMessage[], whose: Whose, sighting: Sighting): Finding[] {
    const by = whoseOf(whose);
    const messages = all.filter(({ sessionId }) => sessionId === by.sessionId);
    const expected = { runs: this.ledger.kept(by), exact: this.#exact };
    return judgeMessages(messages, expected, { ...sighting, by }, this.ledger);
  }

  #judgeCount(count: number, runs: readonly PlantedRun[], sighting: Sighting): Finding[] {
    const wanted = runs.reduce((sum, run) => sum + run.messages.length, 0);
    if (count === wanted) return [];
    const text = `counted ${count} messages instead of ${wanted}`;
    return [{ ...sighting, kind: "altered", where: "count", text }];
  }

  #judgeSessions(sessions: readonly string[], sighting: Sighting): Finding[] {
    const { userId } = sighting.by;
    const wanted = this.ledger.conversations
      .filter((one) => one.userId === userId && this.ledger.kept(one).length > 0)
      .map(({ sessionId }) => sessionId);
    const isSame = wanted.length === sessions.length && wanted.every((id) => sessions.includes(id));
    if (isSame) return [];
    const text = `listed ${sessions.length} sessions instead of ${wanted.length}`;
    return [{ ...sighting, kind: "altered", where: "sessions", text }];
  }

  #waitLess(): void {
    this.#arrivalMs = Math.min(this.#arrivalMs, FAULTY_MS);
  }

  async #reportBlocked(late: readonly PlantedRun[]): Promise<void> {
    const timeoutMs = this.#arrivalMs;
    const { signal } = this;
    const text = "did not reach the model until other users' runs were let go";
    for (const run of await this.gate.coming(late, { timeoutMs, signal }))
      this.#note("blocked", this.#sightingOf(run, "side-by-side"), run, text);
    this.#waitLess();
  }

  #unexpected(sighting: Sighting, run: PlantedRun, text: string): void {
    this.#note("error", sighting, run, text);
  }

  #note(kind: FindingKind, sighting: Sighting, run: PlantedRun, text: string): void {
    const of = sighting.by;
    this.report([{ ...sighting, kind, of, run: run.number, where: "run", text }]);
  }

  #sightingOf(run: PlantedRun, check: CheckName): Sighting {
    return { check, by: whoseOf(run), door: run.door };
  }
}

/** An item of the list: after the last one comes the first. */
export const inTurn = <Item>(items: readonly Item[], turn: number): Item =>
  items[turn % items.length] as Item;

/** A run that never ends would be waited for without a word. */
async function inTime<Result>(run: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("it did not end")), LONGEST_RUN_MS);
  });
  try {
    return await Promise.race([run, late]);
  } finally {
    clearTimeout(timer);
  }
}
