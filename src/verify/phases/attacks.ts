import { type UserId, validateSessionId } from "../../ids.js";
import type { Attack, Attempt, Door, Forgery } from "../doors/door.js";
import { type Finding, reasonOf, type Whose } from "../finding.js";
import { finding, words } from "../judge.js";
import { inTurn, type Stage } from "../stage.js";
import { SESSIONS } from "../users.js";

/** How many users ask for their own data in each way, to show that the way works. */
const OWNERS = 3;

/** How many users send each message that names another user. Each message costs a run. */
const FORGERS = 1;

/** More would take too long with many users. */
const MOST_PAIRS = 100;

/**
 * Each user asks for another user's data in every way there is. The ways in which two ids may be
 * confused are shared out over all pairs of users, so that each pair is tried once.
 * @param ways Only the ways whose names begin with this. Default: all.
 */
export async function attacks(stage: Stage, ways = ""): Promise<void> {
  const data = stage.attacks.filter(({ name }) => name.startsWith(ways));
  const forgeries = stage.forgeries.filter(({ name }) => name.startsWith(ways));
  if (data.length + forgeries.length === 0) return;
  await Promise.all(stage.users.map((userId) => stage.send(secretOf(userId), ATTACKS)));
  const thorough = data.filter(({ everyPair }) => everyPair);
  for (const [index, attack] of data.entries()) {
    if (stage.signal.aborted) return;
    const pairs = attack.everyPair ? shareOf(stage, thorough, attack) : pairsOf(stage.users, index);
    await attackAll(stage, attack, attack.showsNobody ? pairs.slice(0, OWNERS) : pairs);
  }
  for (const [index, forgery] of forgeries.entries()) {
    if (stage.signal.aborted) return;
    await forgeAll(stage, forgery, pairsOf(stage.users, index));
  }
}

const ATTACKS = { check: "attacks" } as const;

/** A session that nobody else has. It carries its user's id, so that naming one names the other. */
const secretOf = (userId: UserId): Whose => {
  const isShared = SESSIONS.some((name) => String(name) === userId);
  return { userId, sessionId: validateSessionId(isShared ? `${userId} 1` : userId) };
};

interface Pair {
  readonly by: UserId;
  readonly of: UserId;
}

/** Pairs each user with another one: the next, or the one after that, and so on. */
function pairsOf(users: readonly UserId[], index: number): Pair[] {
  const step = 1 + (index % (users.length - 1));
  return users.map((by, place) => ({ by, of: inTurn(users, place + step) }));
}

/** The pairs that fall to one of the attacks that share all pairs out. */
function shareOf({ users, random }: Stage, all: readonly Attack[], attack: Attack): Pair[] {
  const place = all.indexOf(attack);
  const steps = [...users.keys()].slice(1).filter((step) => step % all.length === place);
  const pairs = steps.flatMap((step) => pairsOf(users, step - 1));
  return random.shuffled(pairs).slice(0, MOST_PAIRS);
}

async function attackAll(stage: Stage, attack: Attack, pairs: readonly Pair[]): Promise<void> {
  const owners = pairs.slice(0, attack.deletes ? 1 : OWNERS);
  const control = async () => {
    const shown = await Promise.all(owners.map(({ of }) => isShownToOwner(stage, attack, of)));
    if (shown.every(Boolean)) stage.reached.add(attack.name);
  };
  if (!attack.deletes) await control();
  await Promise.all(pairs.map((pair) => attackOne(stage, attack, pair)));
  if (!attack.deletes) return;
  // Comes last: it deletes what the attacks were to delete.
  await control();
  for (const { of } of owners) {
    stage.ledger.clear(of, secretOf(of).sessionId);
    await stage.send(secretOf(of), ATTACKS);
  }
}

/** The way must work for the owner; otherwise a refusal shows nothing. */
async function isShownToOwner(stage: Stage, attack: Attack, userId: UserId): Promise<boolean> {
  const attempt = await answerTo(stage, attack, { by: userId, of: userId });
  if (attempt === undefined) return false;
  const { refused, text, count } = attempt;
  const isShown = stage.ledger.canaries.in(text).some(({ owner }) => owner.userId === userId);
  if (attack.showsNobody) return !isShown;
  const isWhole = attack.countsNothing || count === countOf(stage, secretOf(userId));
  if (refused || !isWhole) return false;
  return isShown || attack.countsOnly === true;
}

async function attackOne(stage: Stage, attack: Attack, { by, of }: Pair): Promise<void> {
  const attempt = await answerTo(stage, attack, { by, of });
  if (attempt === undefined) return;
  const sighting = { ...ATTACKS, by: secretOf(by), door: attack.name };
  const place = { ...sighting, kind: "foreign", of: secretOf(of), where: "answer" } as const;
  const canary = stage.ledger.canaries.in(attempt.text).find(({ owner }) => owner.userId !== by);
  if (canary !== undefined) {
    const text = `got another user's ${words(canary.kind)} by asking for it`;
    const found = { where: "answer", run: canary.owner, canary, text };
    stage.report([finding("foreign", sighting, found)]);
    return;
  }
  if (attempt.refused) return;
  if (attack.refused) stage.report([{ ...place, text: "was answered instead of refused" }]);
  if (attempt.count === undefined) return;
  const own = countOf(stage, { userId: by, sessionId: secretOf(of).sessionId });
  const text = `was told of ${attempt.count} messages instead of ${own}`;
  if (attempt.count !== own) stage.report([{ ...place, text }]);
}

/** The outcome of asking; undefined after an error, which is reported. */
async function answerTo(
  stage: Stage,
  attack: Attack,
  { by, of }: Pair,
): Promise<Attempt | undefined> {
  try {
    return await attack.attempt(by, secretOf(of), stage.signal);
  } catch (thrown) {
    if (!stage.signal.aborted) stage.report([failed(attack.name, { by, of }, thrown)]);
    return undefined;
  }
}

const failed = (door: string, { by, of }: Pair, thrown: unknown): Finding => ({
  ...{ ...ATTACKS, kind: "error", by: secretOf(by), of: secretOf(of), door, where: "answer" },
  text: `was neither answered nor refused: ${reasonOf(thrown)}`,
});

const countOf = ({ ledger }: Stage, whose: Whose): number =>
  ledger.kept(whose).reduce((sum, { messages }) => sum + messages.length, 0);

/** A message belongs to whoever sends it, or is refused. */
async function forgeAll(stage: Stage, forgery: Forgery, pairs: readonly Pair[]): Promise<void> {
  for (const { by, of } of pairs.slice(0, FORGERS)) {
    // Where others are refused, an answer to the owner shows that such messages get through.
    if (forgery.refused) await forgeOne(stage, forgery, { by: of, of });
    await forgeOne(stage, forgery, { by, of });
  }
}

async function forgeOne(stage: Stage, forgery: Forgery, { by, of }: Pair): Promise<void> {
  const { name } = forgery;
  const isRefused = forgery.refused === true && by !== of;
  const door: Door = {
    name,
    async send(message, signal) {
      const attempt = await forgery.send(message, of, signal).catch((thrown) => {
        if (isRefused && !signal.aborted) stage.report([failed(name, { by, of }, thrown)]);
        throw thrown;
      });
      if (attempt.refused) throw new Error("It was refused.");
      return attempt.text;
    },
  };
  const outcome = isRefused ? "dropped" : "stored";
  const whose = { userId: by, sessionId: secretOf(of).sessionId };
  await stage.send(whose, { ...ATTACKS, door, outcome });
}
