import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { AgnoChatError, asAgnoChatError } from "../../errors.js";
import { type UserId, validateSessionId, validateUserId } from "../../ids.js";
import type { Model } from "../../models/model.js";
import { type KnownKeys, refuseUnknownKeys } from "../../options.js";
import type { BatteryResult } from "../battery.js";
import {
  CHAT_APP_KEYS,
  type ChatApp,
  type ChatAppOptions,
  chatApp,
  NotTaken,
  Refused,
  Unsure,
} from "../doors/chat-app.js";
import {
  type CheckName,
  type FindingKind,
  reasonOf,
  saidBy,
  type Whose,
  whoseOf,
} from "../finding.js";
import { Findings } from "../findings.js";
import { Gate, releaseIn } from "../gate.js";
import { judgeReply, judgeRest, type Sighting } from "../judge.js";
import { Ledger, type Outcome, type PlantedRun } from "../ledger.js";
import { answerOf, LiveModel, tooManyCalls } from "../live-model.js";
import { SAME_WORDS } from "../phases/same-words.js";
import { Random } from "../random.js";
import { type Answer, type ReceivedRequest, type RecordedRequest, Recorder } from "../recorder.js";
import { ARRIVAL_MS, FAULTY_MS, inTurn, MORE_TIME } from "../stage.js";
import { openUpstream } from "../upstream.js";
import { SESSIONS } from "../users.js";
import { type Shown, shownIn, windowOf } from "../window.js";

/** How much an app is driven, and where to listen as its model. */
export interface AppCheckOptions {
  /** Where to listen as the app's model. Without it only replies can be judged. */
  readonly upstream?: { readonly host: string; readonly port: number } | undefined;
  /** Called with the base URL for the app's model client, before the first message is sent. */
  readonly onUpstream?: ((url: string) => void | Promise<void>) | undefined;
  /**
   * An app that keeps its histories needs other ids or another seed each time: the same seed plants
   * the same texts.
   */
  readonly users: readonly string[];
  readonly rounds: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly record?: ((request: RecordedRequest) => void) | undefined;
}

export interface AppOptions extends ChatAppOptions, AppCheckOptions {}

const KEYS: KnownKeys<AppOptions> = {
  ...CHAT_APP_KEYS,
  upstream: true,
  onUpstream: true,
  users: true,
  rounds: true,
  seed: true,
  signal: true,
  record: true,
};

export interface AppResult extends BatteryResult {
  /** `sent`: every request of the app was seen. `replies` alone prove nothing. */
  readonly evidence: "sent" | "replies";
  /** What was not shown, one line each. With any of them the app is not shown to be isolated. */
  readonly gaps: readonly string[];
  /** What was not compared. */
  readonly notProved: readonly string[];
}

/**
 * Drives an app over HTTP through every check that can be made from outside.
 * @example
 * const model = new OpenAIModel({ model: "any", baseUrl: "http://127.0.0.1:4100/v1" });
 * const chat = createServer({ agent: new Agent({ model }) });
 * const result = await verifyApp({
 *   url: `${await chat.listen({ port: 0 })}/chat`,
 *   upstream: { host: "127.0.0.1", port: 4100 }, // answers as the app's model
 *   users: ["alice", "bob", "carol"],
 *   rounds: 2,
 *   seed: 1,
 *   signal: AbortSignal.timeout(60_000),
 * });
 * await chat.close();
 * console.log(result.evidence, result.findings.length, result.gaps.length); // sent 0 0
 * @throws {AgnoChatError} `USAGE` for an unknown option or a template that cannot work,
 *   `SYSTEM_FAILED` for an app that answers no message
 */
export async function verifyApp(options: AppOptions): Promise<AppResult> {
  refuseUnknownKeys(options, KEYS, "verifyApp");
  const { upstream } = options;
  if (upstream !== undefined) refuseUnknownKeys(upstream, { host: true, port: true }, "upstream");
  return checkApp(chatApp(options), options);
}

export interface CheckAppOptions extends AppCheckOptions {
  /** Answers in place of the check, which then sends few messages. */
  readonly live?: { readonly model: Model; readonly maxCalls?: number | undefined } | undefined;
}

/**
 * As `verifyApp`, for an app that is reached in any way.
 * @throws {AgnoChatError} `SYSTEM_FAILED` for an app that answers no message; what the live model
 *   failed with
 */
export async function checkApp(
  app: ChatApp,
  { live: given, ...options }: CheckAppOptions,
): Promise<AppResult> {
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  // Each message under way listens to it.
  setMaxListeners(0, signal);
  const users = options.users.map(validateUserId);
  const isLive = given !== undefined;
  const onEnd = () => ended.abort();
  const check = new AppCheck({ ...options, users, signal, onEnd, isLive }, app);
  const { recorder } = check;
  const live =
    given &&
    new LiveModel(given.model, {
      ...{ recorder, maxCalls: given.maxCalls, toolsOnce: false, onEnd },
    });
  const { upstream: address, onUpstream } = options;
  const answer = (request: ReceivedRequest, gone: AbortSignal): Promise<Answer> =>
    live === undefined ? recorder.receive(request, gone) : answerOf(live, request, gone);
  const upstream = address && (await openUpstream({ ...address, answer }));
  try {
    if (upstream !== undefined) await onUpstream?.(upstream.url);
    await (upstream === undefined ? check.byReplies() : check.byRequests());
  } finally {
    await check.gate.release("together");
    await upstream?.close();
  }
  const failure = live?.failure ?? check.failure;
  if (failure !== undefined && !options.signal.aborted) throw failure;
  return check.result(live?.isOver ? [tooManyCalls(live.calls)] : []);
}

/** About how often a live model is called. */
export const liveAppCalls = (users: number, rounds: number): number =>
  users * (WARM_UP_ROUNDS + rounds) + users + SAME_AGAIN;

const SENT_CHECKS: readonly CheckName[] = ["requests", "same-words", "replies", "side-by-side"];
const REPLY_CHECKS: readonly CheckName[] = ["same-words", "replies"];

/** The checks that were made, for a report. */
export const checksOf = ({ evidence }: AppResult, isCleared: boolean): readonly CheckName[] => [
  ...(evidence === "sent" ? SENT_CHECKS : REPLY_CHECKS),
  ...(isCleared && evidence === "sent" ? (["clears"] as const) : []),
];

/** Long enough for a fast app to receive a message before the next is sent. */
const PAUSE_MS = 25;

/** How often a message is sent again before the app counts as failed. */
const MOST_TRIES = 6;

/** Longest wait before a message is sent again, whatever the app asks for. */
const LONGEST_WAIT_MS = 10_000;

const outsideOf = (window: number): string =>
  `what the app keeps beyond its window of ${window} ${window === 1 ? "run" : "runs"}`;

/** Messages of everybody, one after the other, before any overlap. */
const WARM_UP_ROUNDS = 2;

/** How many users say the same words again. */
const SAME_AGAIN = 2;

function noneThrough(thrown: unknown): AgnoChatError {
  const { message, hint } = asAgnoChatError(thrown);
  const reason = thrown instanceof Error ? thrown.message : message;
  return new AgnoChatError("SYSTEM_FAILED", `No message got through: ${reason}`, {
    hint: thrown instanceof AgnoChatError ? hint : "Look at what the app itself reports.",
    cause: thrown,
  });
}

interface CheckOptions extends AppCheckOptions {
  readonly users: readonly UserId[];
  /** A model is asked that costs time and money. */
  readonly isLive: boolean;
  /** Ends the check early. */
  readonly onEnd: () => void;
}

interface SendOptions {
  readonly sameWords?: string;
  readonly outcome?: Outcome;
  readonly check?: CheckName;
  readonly signal?: AbortSignal;
  /** Called when the app does not let the user in, which then is no fault. */
  readonly onRefused?: () => void;
}

class AppCheck {
  readonly gate: Gate;
  readonly recorder: Recorder;
  readonly #options: CheckOptions;
  readonly #app: ChatApp;
  readonly #random: Random;
  readonly #ledger: Ledger;
  readonly #findings = new Findings();
  readonly #gaps: string[] = [];
  /** An earlier text came back to the model. */
  #hasHistory = false;
  /** The app sends one user's request after the other, so holding them makes no sense. */
  #isSerial = false;
  /** So many runs get to the model at once: an app may have fewer workers than users. */
  #mostAtOnce = Number.POSITIVE_INFINITY;
  /** Session names are taken by whoever names them first, so each user has names of their own. */
  #hasOwnNames = false;
  /** How much of the history each request showed. */
  readonly #shown: Shown[] = [];
  /** A message was answered, so what fails from then on is a finding. */
  #wasAnswered = false;
  #failure: AgnoChatError | undefined;
  /** The longest that a run alone took. */
  #slowestMs = 0;

  constructor(options: CheckOptions, app: ChatApp) {
    this.#options = options;
    this.#app = app;
    this.#random = new Random(options.seed);
    this.#ledger = new Ledger(this.#random);
    this.gate = new Gate(this.#random);
    this.recorder = new Recorder({
      ...{ ledger: this.#ledger, gate: this.gate, exact: false },
      report: this.#findings.report,
      record: (request) => this.#note(request),
    });
  }

  /** Why no message got through. */
  get failure(): AgnoChatError | undefined {
    return this.#failure;
  }

  async byRequests(): Promise<void> {
    await this.#tryNames();
    await this.#warmUp();
    if (this.#options.signal.aborted) return void this.#gaps.push("ended early");
    if (this.recorder.requests === 0) {
      this.#gaps.push("no request came to the model: point the app's base URL at the upstream");
      return;
    }
    if (!this.#hasHistory) {
      this.#gaps.push("stateless: no earlier text ever came back, so there is nothing to judge");
      return;
    }
    const { rounds } = this.#options;
    for (let round = 0; round < rounds; round++) await this.#overlap(round);
    const phases = this.#options.isLive
      ? [() => this.#sameWords()]
      : [() => this.#queue(), () => this.#sameWords(), () => this.#late(), () => this.#clears()];
    for (const phase of phases) if (!this.#options.signal.aborted) await phase();
    if (this.#options.signal.aborted) this.#gaps.push("ended early");
  }

  async byReplies(): Promise<void> {
    this.#gaps.push("replies alone do not show what the app sent to its model");
    await this.#tryNames();
    await this.#everybody({});
    await this.#everybody({ sameWords: SAME_WORDS, check: "same-words" });
    await this.#everybody({ sameWords: SAME_WORDS, check: "same-words" });
  }

  result(gaps: readonly string[]): AppResult {
    const { users } = this.#options;
    const evidence = this.#isSent ? "sent" : "replies";
    const window = windowOf(this.#shown);
    return {
      ...{ users, ledger: this.#ledger, requests: this.recorder.requests, evidence },
      findings: this.#findings.all.filter(
        ({ kind, request }) => !this.#isTold(kind, request, window),
      ),
      notProved: window === undefined ? [] : [outsideOf(window)],
      ...{ doors: [this.#app.name], attacks: 0, notReached: [], gaps: [...gaps, ...this.#gaps] },
      pairs: this.recorder.pairsOf(users),
    };
  }

  /**
   * What an app never keeps, never asks for, or never sends again, is not lost: that is said once.
   */
  #isTold(kind: FindingKind, request: number | undefined, window: number | undefined): boolean {
    const isStateless = this.#isSent && !this.#hasHistory;
    if (isStateless) return ["lost", "unowned", "mispaired"].includes(kind);
    return kind === "lost" && request !== undefined && window !== undefined;
  }

  /** Whether every request of the app is seen. */
  get #isSent(): boolean {
    return this.#options.upstream !== undefined;
  }

  #note(request: RecordedRequest): void {
    this.#options.record?.(request);
    this.#hasHistory ||= request.messages
      .flatMap(({ content }) => this.#ledger.canaries.in(content))
      .some(({ owner }) => owner.number !== request.run);
    const { userId, sessionId, run } = request;
    if (userId === undefined || sessionId === undefined) return;
    const { runs } = this.#ledger.conversation({ userId, sessionId });
    const earlier = runs.slice(
      0,
      runs.findIndex(({ number }) => number === run),
    );
    this.#shown.push(shownIn(request.messages, earlier, this.#ledger));
  }

  /** The same names for everybody, as far as the app allows that. */
  #whose(userId: UserId, round = 0): Whose {
    const name = inTurn(SESSIONS, this.#app.namesSession ? round : 0);
    return { userId, sessionId: this.#hasOwnNames ? validateSessionId(`${userId}-${name}`) : name };
  }

  /** Two users name the same session. An app may refuse that, but must not mix the two. */
  async #tryNames(): Promise<void> {
    if (!this.#app.namesSession) return;
    const [first, second] = this.#options.users;
    const onRefused = (): void => {
      this.#hasOwnNames = true;
    };
    if (first === undefined || second === undefined) return;
    const shared = this.#whose(first);
    await this.#send(shared, { onRefused });
    if (this.#hasOwnNames) return;
    await this.#send(this.#whose(second), { onRefused });
    // What was refused must not be kept in the session it named.
    if (this.#hasOwnNames) await this.#send(shared);
  }

  /** Everybody says two things, one after the other: shows how slow the app is, and its history. */
  async #warmUp(): Promise<void> {
    for (let round = 0; round < WARM_UP_ROUNDS; round++)
      for (const userId of this.#options.users) {
        const started = performance.now();
        await this.#send(this.#whose(userId));
        this.#slowestMs = Math.max(this.#slowestMs, performance.now() - started);
      }
  }

  async #everybody(options: SendOptions, round = 0): Promise<void> {
    await Promise.all(this.#sends(options, round));
  }

  #sends(options: SendOptions = {}, round = 0): Promise<void>[] {
    return this.#options.users.map((userId) => this.#send(this.#whose(userId, round), options));
  }

  /** Holds everybody's runs at the model until all are there, and lets them go. */
  async #overlap(round: number, options: SendOptions = {}): Promise<void> {
    if (!this.#isSerial) this.gate.hold();
    const sent = this.#sends(options, round);
    const waiting = this.#isSerial ? [] : await this.#arrived(sent);
    await this.gate.release(releaseIn(round));
    await this.#reportSerial(waiting);
    await Promise.all(sent);
  }

  /**
   * The runs that wait while one alone is held. Few workers are no fault; an app that takes one
   * user at a time lets everybody wait for one.
   */
  async #arrived(sent: readonly Promise<unknown>[]): Promise<readonly PlantedRun[]> {
    const wanted = Math.min(sent.length, this.#mostAtOnce);
    if (await this.#held(wanted, sent)) return [];
    const isAlone = this.gate.held.length === 1 && !(await this.#held(2, sent, MORE_TIME));
    if (this.#options.signal.aborted || this.gate.held.length === 0) return [];
    if (isAlone)
      return this.#runsAfter(0).filter(({ answered, requests }) => !answered && requests === 0);
    this.#mostAtOnce = Math.max(2, this.gate.held.length);
    return [];
  }

  /** Runs that come once others are let go have waited for them; a busy machine is no fault. */
  async #reportSerial(waiting: readonly PlantedRun[]): Promise<void> {
    if (waiting.length === 0) return;
    const timeoutMs = this.#patienceMs;
    const came = await this.gate.coming(waiting, { timeoutMs, signal: this.#options.signal });
    if (came.length === 0) return;
    this.#isSerial = true;
    for (const { userId } of came) {
      const by = this.#whose(userId);
      const text = "did not reach the model until another user's run was let go";
      const seen = { check: "side-by-side", door: this.#app.name, where: "run", text } as const;
      this.#findings.report([{ ...seen, kind: "blocked", by, of: by }]);
    }
  }

  #held(count: number, sent: readonly Promise<unknown>[], times = 1): Promise<boolean> {
    const timeoutMs = times * this.#patienceMs;
    return this.gate.full(count, { timeoutMs, signal: this.#options.signal, sent });
  }

  get #patienceMs(): number {
    const shortest = this.#findings.all.length > 0 ? FAULTY_MS : ARRIVAL_MS;
    return Math.max(shortest, 10 * this.#slowestMs);
  }

  /**
   * Three messages of everybody, the later ones sent while the first is held. The pauses are longer
   * than the app takes to receive a message, so that their order is certain.
   */
  async #queue(): Promise<void> {
    if (!this.#isSerial) this.gate.hold();
    const sent = this.#sends();
    const waiting = this.#isSerial ? [] : await this.#arrived(sent);
    for (const _ of [2, 3]) {
      sent.push(...this.#sends());
      await delay(Math.max(PAUSE_MS, 2 * this.#slowestMs));
    }
    await this.gate.release("shuffled");
    await this.#reportSerial(waiting);
    await Promise.all(sent);
  }

  /** Everybody says the same, at once and then one after the other: each must make a request. */
  async #sameWords(): Promise<void> {
    const options = { sameWords: SAME_WORDS, check: "same-words" } as const;
    const before = this.recorder.requests;
    const first = this.#ledger.runs;
    await this.#overlap(0, options);
    for (const userId of this.#options.users.slice(0, SAME_AGAIN))
      await this.#send(this.#whose(userId), options);
    const wanted = this.#ledger.runs - first;
    const made = this.recorder.requests - before;
    // An app may repeat a request that failed, and a message that was lost on the way makes none.
    const lost = this.#runsAfter(first).filter(({ outcome }) => outcome === "uncertain").length;
    if (made >= wanted - lost) return;
    const by = this.#whose(inTurn(this.#options.users, 0));
    const text = `${wanted} messages made ${made} requests`;
    const seen = { check: "same-words", door: this.#app.name, where: "requests" } as const;
    this.#findings.report([{ ...seen, kind: "mispaired", by, text }]);
  }

  #runsAfter(number: number): PlantedRun[] {
    const runs = this.#ledger.conversations.flatMap((one) => one.runs);
    return runs.filter((run) => run.number > number);
  }

  /** A caller gives up while its reply is held; nobody else may get that reply. */
  async #late(): Promise<void> {
    const [first, ...others] = this.#options.users;
    if (first === undefined || this.#isSerial) return;
    const gone = new AbortController();
    const signal = AbortSignal.any([gone.signal, this.#options.signal]);
    this.gate.hold(({ userId }) => userId === first);
    const left = this.#send(this.#whose(first), { outcome: "uncertain", signal });
    await this.#held(1, [left]);
    gone.abort();
    await left;
    const sent = Promise.all(others.map((userId) => this.#send(this.#whose(userId))));
    await Promise.race([sent, delay(Math.max(PAUSE_MS, 2 * this.#slowestMs))]);
    await this.gate.release("together");
    await sent;
    await this.#everybody({});
  }

  async #clears(): Promise<void> {
    const { clear, clearsSession } = this.#app;
    const [first] = this.#options.users;
    if (clear === undefined || first === undefined) return;
    const whose = this.#whose(first);
    try {
      await clear(whose, this.#options.signal);
    } catch (thrown) {
      const sighting = { check: "clears", by: whose, door: "clear" } as const;
      this.#found("error", sighting, `could not be cleared: ${reasonOf(thrown)}`);
      return;
    }
    this.#ledger.clear(first, clearsSession ? whose.sessionId : undefined);
    await this.#everybody({ check: "clears" });
  }

  /** Sends one message until the app takes it, and judges the reply. Never rejects. */
  async #send(whose: Whose, options: SendOptions = {}): Promise<void> {
    const { outcome, sameWords, signal = this.#options.signal } = options;
    const begin = () => this.#ledger.begin(whose, { door: this.#app.name, outcome, sameWords });
    let run = begin();
    const sighting = { check: options.check ?? "replies", by: whose, door: run.door } as const;
    for (let tries = 1; !signal.aborted; tries++) {
      try {
        await this.#ask(run, sighting, signal);
        run.answered = true;
        return;
      } catch (thrown) {
        if (run.outcome === "uncertain") return void this.#close(run, "uncertain");
        if (thrown instanceof Refused && options.onRefused !== undefined) {
          this.#close(run, "dropped");
          return options.onRefused();
        }
        const isPassing = thrown instanceof NotTaken || thrown instanceof Unsure;
        if (!isPassing || tries === MOST_TRIES) {
          this.#close(run, "uncertain");
          if (!signal.aborted) this.#fail(sighting, thrown);
          return;
        }
        const isSame = thrown instanceof NotTaken && thrown.asksAgain && this.#isUntouched(run);
        if (isSame) this.#ledger.takeBack(run);
        else this.#close(run, "uncertain");
        const wanted = thrown instanceof NotTaken ? thrown.waitMs : undefined;
        const waitMs = Math.min(wanted ?? 25 * 2 ** tries, LONGEST_WAIT_MS);
        await delay(waitMs, undefined, { signal }).catch(() => undefined);
        if (signal.aborted) return;
        if (isSame) this.#ledger.sendAgain(run);
        else run = begin();
      }
    }
  }

  /** Sends a message once, and judges all that comes back. */
  async #ask(run: PlantedRun, sighting: Sighting, signal: AbortSignal): Promise<void> {
    const told: string[] = [];
    const onAnswer = (answer: string): void => void told.push(answer);
    let reply = "";
    try {
      reply = await this.#app.send({ ...whoseOf(run), text: run.text, onAnswer }, signal);
      this.#wasAnswered = true;
      this.#judge(reply, run, sighting);
    } catch (thrown) {
      told.push(saidBy(thrown));
      throw thrown;
    } finally {
      this.#findings.report(judgeRest(told, { run, reply }, sighting, this.#ledger));
    }
  }

  #close(run: PlantedRun, outcome: Outcome): void {
    run.answered = true;
    run.outcome = outcome;
  }

  /** Whether the app has surely not run the message: its model was not asked. */
  #isUntouched({ requests }: PlantedRun): boolean {
    return this.#isSent && requests === 0;
  }

  /** Without the requests, only a text of somebody else tells something. */
  #judge(reply: string, run: PlantedRun, sighting: Sighting): void {
    const found = judgeReply(reply, run, sighting, this.#ledger);
    this.#findings.report(found.filter(({ kind }) => this.#isSent || kind === "foreign"));
  }

  /** An app that answers nobody was not reached: that says nothing about leaks. */
  #fail(sighting: Sighting, thrown: unknown): void {
    if (this.#wasAnswered) return this.#found("error", sighting, `failed: ${reasonOf(thrown)}`);
    this.#failure = noneThrough(thrown);
    this.#options.onEnd();
  }

  #found(kind: FindingKind, sighting: Sighting, text: string): void {
    this.#findings.report([{ ...sighting, kind, of: sighting.by, where: "run", text }]);
  }
}
