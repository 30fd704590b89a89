import { isDeepStrictEqual } from "node:util";
import { type Message, plainMessage, userMessage } from "../messages.js";
import type { CanaryKind } from "./canary.js";
import {
  type CheckName,
  type Finding,
  type FindingKind,
  isOf,
  type Whose,
  whoseOf,
} from "./finding.js";
import type { Ledger, PlantedRun, RunCanary } from "./ledger.js";

/** Where something was seen. */
export interface Sighting {
  readonly check: CheckName;
  readonly by: Whose;
  readonly door: string;
  readonly request?: number;
}

/** What a list of messages must be. */
export interface Expected {
  /** Oldest first. */
  readonly runs: readonly PlantedRun[];
  /** Whether the messages must be equal, and not only the canaries in them. */
  readonly exact: boolean;
  /** A message at the beginning that is nobody's. */
  readonly instructions?: string | undefined;
  /** The oldest runs may be missing. */
  readonly recentOnly?: boolean;
}

interface Placed {
  readonly canary: RunCanary;
  readonly where: string;
}

/**
 * Compares messages with what they must be. Pure, apart from noting which canaries were seen by
 * their owners.
 */
export function judgeMessages(
  messages: readonly Message[],
  expected: Expected,
  sighting: Sighting,
  { canaries }: Pick<Ledger, "canaries">,
): Finding[] {
  const placed = messages.flatMap((message, index) =>
    canaries.in(textOf(message)).map((canary) => ({ canary, where: `messages[${index}]` })),
  );
  const strangers = judgeOwners(placed, expected.runs, sighting);
  const told = expected.exact ? placed : withoutSummaries(placed, messages);
  const own = judgeSequence(told, expected, sighting, canaries);
  for (const { canary } of placed) if (isOwn(canary, sighting.by)) canaries.see(canary);
  const found = [...strangers, ...own];
  if (found.length > 0 || !expected.exact || isEqual(messages, expected)) return found;
  return [altered(messages, expected, sighting)];
}

/** An app may tell the model its user's texts in the system message as well. */
function withoutSummaries(placed: readonly Placed[], messages: readonly Message[]): Placed[] {
  const system = new Set(
    messages.flatMap(({ role }, index) => (role === "system" ? [`messages[${index}]`] : [])),
  );
  const spoken = new Set(placed.filter((one) => !system.has(one.where)).map((one) => one.canary));
  return placed.filter(({ where, canary }) => !system.has(where) || !spoken.has(canary));
}

/** As `judgeMessages`, for a text of any format. */
export function judgeDocument(
  text: string,
  runs: readonly PlantedRun[],
  sighting: Sighting,
  { canaries }: Pick<Ledger, "canaries">,
): Finding[] {
  const placed = canaries.in(text).map((canary) => ({ canary, where: "document" }));
  for (const { canary } of placed) if (isOwn(canary, sighting.by)) canaries.see(canary);
  return [
    ...judgeOwners(placed, runs, sighting),
    ...judgeSequence(placed, { runs, exact: false }, sighting, canaries),
  ];
}

/** As `judgeMessages`, for what a search found: each planted message, and nobody else's. */
export function judgeFound(
  text: string,
  runs: readonly PlantedRun[],
  sighting: Sighting,
  { canaries }: Pick<Ledger, "canaries">,
): Finding[] {
  const placed = canaries.in(text).map((canary) => ({ canary, where: "search" }));
  const isFound = (canary: RunCanary) => placed.some((one) => one.canary === canary);
  const missing = runs.filter((run) => !canaries.in(run.text).every(isFound));
  return [
    ...judgeOwners(placed, runs, sighting),
    ...missing.map((run) => missingRun(run, sighting)),
  ];
}

/** What a history must be that several processes write at once. */
export interface Interleaved {
  /** Every run that may be there; those of one process are in the order in which it began them. */
  readonly processes: readonly (readonly PlantedRun[])[];
  /** Those that must be there. */
  readonly runs: readonly PlantedRun[];
}

/**
 * Divides messages into runs, each of which must be whole.
 * @param messages Without instructions.
 * @returns the findings, and the runs in the order in which they were found
 */
export function judgeInterleaved(
  messages: readonly Message[],
  { processes, runs }: Interleaved,
  sighting: Sighting,
  { canaries }: Pick<Ledger, "canaries">,
): { readonly findings: readonly Finding[]; readonly seen: readonly PlantedRun[] } {
  const possible = processes.flat();
  const seen: PlantedRun[] = [];
  for (let index = 0; index < messages.length; ) {
    const place = { where: `messages[${index}]` };
    const found = canaries.in(textOf(messages[index] as Message));
    const stranger = found.find(({ owner }) => !possible.includes(owner));
    if (stranger !== undefined) {
      const placed = [{ canary: stranger, ...place }];
      return { findings: judgeOwners(placed, possible, sighting), seen };
    }
    const run = found.find(({ kind }) => kind === "message")?.owner;
    const length = run?.messages.length ?? 1;
    const part = messages.slice(index, index + length).map(said);
    if (run === undefined || !isDeepStrictEqual(part, run.messages.map(said)))
      return { findings: [finding("altered", sighting, { ...place, text: IN_PARTS })], seen };
    for (const canary of part.flatMap((message) => canaries.in(textOf(message))))
      canaries.see(canary);
    seen.push(run);
    index += length;
  }
  const missing = runs.filter((run) => !seen.includes(run));
  const findings = missing.map((run) => missingRun(run, sighting));
  const ordered = processes.map((own) => seen.filter((run) => own.includes(run)));
  const wrong = ordered.flatMap((own) =>
    own.filter((run, index) => index > 0 && run.number <= (own[index - 1] as PlantedRun).number),
  );
  for (const run of wrong)
    findings.push(finding("reordered", sighting, { where: "messages", run, text: OUT_OF_ORDER }));
  return { findings, seen };
}

const IN_PARTS = "saw a run that is not whole";
const OUT_OF_ORDER = "saw the runs of one process in another order";

/** Compares the reply that a door returned with the one the model gave. */
export function judgeReply(
  reply: string,
  run: PlantedRun,
  sighting: Sighting,
  { canaries }: Pick<Ledger, "canaries">,
): Finding[] {
  const seen = canaries.in(reply);
  for (const canary of seen) if (canary.owner === run) canaries.see(canary);
  const spoken = run.messages.at(-1);
  const isAnswer = spoken?.role === "assistant" && spoken.toolCalls === undefined;
  const said = isAnswer ? canaries.in(spoken.content) : [];
  // A real model may repeat what it was told before.
  const told = seen.filter((canary) => !(said.includes(canary) && isOwn(canary, run)));
  const placed = told.map((canary) => ({ canary, where: "reply" }));
  const strangers = judgeOwners(placed, [run], sighting);
  if (strangers.length > 0) return strangers;
  if (!isAnswer)
    return [
      finding("mispaired", sighting, {
        where: "reply",
        run,
        text: "got a reply that the model never gave to this message",
      }),
    ];
  if (said.every((canary) => seen.includes(canary))) return [];
  return [
    finding("lost", sighting, { where: "reply", run, text: "did not get the model's reply" }),
  ];
}

/** Finds another user's texts in what a door returned beside the reply. */
export function judgeRest(
  told: readonly string[],
  { run, reply }: { readonly run: PlantedRun; readonly reply: string },
  sighting: Sighting,
  { canaries }: Pick<Ledger, "canaries">,
): Finding[] {
  const judged = canaries.in(reply);
  const foreign = told
    .flatMap((text) => canaries.in(text))
    .filter((canary) => canary.owner.userId !== run.userId && !judged.includes(canary));
  const placed = foreign.map((canary) => ({ canary, where: "answer" }));
  return judgeOwners(placed, [], sighting);
}

/** Findings about canaries that have no place here. */
function judgeOwners(
  placed: readonly Placed[],
  runs: readonly PlantedRun[],
  sighting: Sighting,
): Finding[] {
  const found = new Map<string, Finding>();
  for (const { canary, where } of placed) {
    if (runs.includes(canary.owner)) continue;
    if (canary.owner.outcome === "uncertain" && isOwn(canary, sighting.by)) continue;
    const kind = misplacedKind(canary.owner, sighting.by);
    const key = `${kind} ${canary.owner.userId} ${canary.owner.sessionId}`;
    if (found.has(key)) continue;
    const text = MISPLACED[kind](canary);
    found.set(key, finding(kind, sighting, { where, run: canary.owner, canary, text }));
  }
  return [...found.values()];
}

type MisplacedKind = "foreign" | "cross-session" | "not-cleared" | "kept" | "reordered";

function misplacedKind(owner: PlantedRun, by: Whose): MisplacedKind {
  if (owner.userId !== by.userId) return "foreign";
  if (owner.sessionId !== by.sessionId) return "cross-session";
  if (owner.cleared) return "not-cleared";
  return owner.outcome === "dropped" ? "kept" : "reordered";
}

const MISPLACED: Readonly<Record<MisplacedKind, (canary: RunCanary) => string>> = {
  foreign: ({ kind }) => `saw another user's ${words(kind)}`,
  "cross-session": ({ kind }) => `saw a ${words(kind)} of another session`,
  "not-cleared": ({ kind }) => `saw a ${words(kind)} that was cleared`,
  kept: ({ kind }) => `saw a ${words(kind)} of a run that failed or was cancelled`,
  reordered: ({ kind }) => `saw a ${words(kind)} of a later run`,
};

/** The kind of a text, for people. */
export const words = (kind: CanaryKind): string => kind.replace("-", " ");

/** Findings about what is missing, repeated or out of order. */
function judgeSequence(
  placed: readonly Placed[],
  { runs, recentOnly = false }: Expected,
  sighting: Sighting,
  canaries: Ledger["canaries"],
): Finding[] {
  const certain = runs.filter(({ outcome }) => outcome !== "uncertain");
  const wanted = certain.map((run) => run.messages.flatMap((text) => canaries.in(textOf(text))));
  const seen = placed.map(({ canary }) => canary);
  const missing = certain.filter((_, index) => wanted[index]?.some((one) => !seen.includes(one)));
  const missed = recentOnly ? withoutOldest(missing, certain) : missing;
  if (missed.length > 0) return missed.map((run) => missingRun(run, sighting));
  const present = certain.filter((run) => !missing.includes(run));
  const order = wanted.filter((_, index) => present.includes(certain[index] as PlantedRun)).flat();
  const actual = seen.filter((canary) => order.includes(canary));
  if (isDeepStrictEqual(actual, order)) return [];
  return [disorder(actual, order, sighting)];
}

/** The oldest runs of a window may be missing, but none after the first that is there. */
function withoutOldest(
  missing: readonly PlantedRun[],
  runs: readonly PlantedRun[],
): readonly PlantedRun[] {
  const first = runs.findIndex((run) => !missing.includes(run));
  return first < 0 ? missing : missing.filter((run) => runs.indexOf(run) > first);
}

function missingRun(run: PlantedRun, sighting: Sighting): Finding {
  const kind = run.answered ? "lost" : "blind";
  const text = run.answered
    ? `did not see run ${run.number} of its own session`
    : `was answered while run ${run.number} of its own session was still under way`;
  return finding(kind, sighting, { where: "messages", run, text });
}

function disorder(
  actual: readonly RunCanary[],
  order: readonly RunCanary[],
  sighting: Sighting,
): Finding {
  const repeats = actual.find((canary, index) => actual.indexOf(canary) !== index);
  if (repeats !== undefined && actual.length > order.length)
    return finding("repeated", sighting, {
      where: "messages",
      run: repeats.owner,
      canary: repeats,
      text: `saw a ${words(repeats.kind)} more than once`,
    });
  const index = actual.findIndex((canary, place) => canary !== order[place]);
  const canary = actual[index] as RunCanary;
  const before = actual[index - 1];
  const isPair = canary.kind !== "message" && before?.kind === "message";
  const kind = isPair && before.owner !== canary.owner ? "mispaired" : "reordered";
  return finding(kind, sighting, {
    where: "messages",
    run: canary.owner,
    canary,
    text: `saw its messages in another order`,
  });
}

function isEqual(messages: readonly Message[], expected: Expected): boolean {
  const actual = messages.map(said);
  const whole = expectedMessages(expected);
  if (isDeepStrictEqual(actual, whole)) return true;
  if (!expected.recentOnly) return false;
  const system = whole[0]?.role === "system" ? 1 : 0;
  const recent = whole.slice(whole.length - actual.length + system);
  return isDeepStrictEqual(actual, [...whole.slice(0, system), ...recent]);
}

function expectedMessages({ runs, instructions }: Expected): Message[] {
  const messages = runs.flatMap((run) => run.messages).map(said);
  return instructions === undefined
    ? messages
    : [{ role: "system", content: instructions }, ...messages];
}

function altered(messages: readonly Message[], expected: Expected, sighting: Sighting): Finding {
  const whole = expectedMessages(expected);
  const index = messages.findIndex(
    (message, place) => !isDeepStrictEqual(said(message), whole[place]),
  );
  const count = `${messages.length} messages instead of ${whole.length}`;
  const text =
    messages.length === whole.length ? "saw a message that was not said like this" : `saw ${count}`;
  const where = `messages[${index < 0 ? messages.length : index}]`;
  const run = expected.runs.at(-1);
  return finding("altered", sighting, { where, text, ...(run === undefined ? {} : { run }) });
}

interface FindingParts {
  readonly where: string;
  readonly text: string;
  readonly run?: PlantedRun;
  readonly canary?: RunCanary;
}

/** A finding about the text of a run. */
export function finding(
  kind: FindingKind,
  sighting: Sighting,
  { where, text, run, canary }: FindingParts,
): Finding {
  const whose = run && { of: whoseOf(run), run: run.number };
  const place = { ...sighting, by: whoseOf(sighting.by), where };
  return { kind, ...place, ...whose, ...(canary && { canary: canary.text }), text };
}

/** Whether a canary is of this user and session. */
export const isOwn = ({ owner }: RunCanary, whose: Whose): boolean => isOf(owner, whose);

/** Everything of a message that a model or a person may read. */
function textOf(message: Message): string {
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  return [message.content, ...calls.map((call) => call.arguments)].join(" ");
}

/** A message without its files: what is written in them, the model of the check reads. */
const said = (message: Message): Message =>
  message.role === "user" ? userMessage(message.content) : plainMessage(message);
