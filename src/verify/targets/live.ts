import type { UserId } from "../../ids.js";
import type { Memory } from "../../memory/memory.js";
import type { Model } from "../../models/model.js";
import type { Toolkit } from "../../tools/tool.js";
import { agentOver, type BatteryResult, runBattery } from "../battery.js";
import type { Difference } from "../bystanders.js";
import type { CheckName } from "../finding.js";
import type { Report } from "../findings.js";
import { releaseIn } from "../gate.js";
import { LiveModel, tooManyCalls } from "../live-model.js";
import { withOwnUsers } from "../own-users.js";
import { SAME_WORDS } from "../phases/same-words.js";
import { ECHO } from "../probe-tools.js";
import type { RecordedRequest, Recorder } from "../recorder.js";
import { inTurn, type Stage } from "../stage.js";
import { watchedModel } from "../watched-model.js";

/** Few, since each call of a real model takes time and money. */
export const LIVE_USERS = 3;
export const LIVE_ROUNDS = 3;

/** About how often the model is called: a message that calls a tool takes two calls. */
export const liveCalls = (users: number, rounds: number): number => users * (rounds + 2);

export interface LiveOptions {
  readonly model: Model;
  readonly memory: Memory;
  /** The model may call them; no message asks for it. */
  readonly toolkits?: readonly Toolkit[] | undefined;
  readonly users: number;
  readonly rounds: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Default: no limit. */
  readonly maxCalls?: number | undefined;
  readonly record?: ((request: RecordedRequest) => void) | undefined;
}

export interface LiveResult extends Difference {
  readonly result: BatteryResult;
  readonly checks: readonly CheckName[];
  readonly calls: number;
}

const CHECKS_OF_SENDING: readonly CheckName[] = ["requests", "replies", "side-by-side"];

const CHECKS: readonly CheckName[] = [
  ...CHECKS_OF_SENDING,
  "same-words",
  "stored",
  "clears",
  "bystanders",
];

const NO_TOOLS = "tools: the model called none";

/**
 * Drives our agent on a model that answers itself. Judged is what the model is given and what is
 * stored; its replies must hold nobody else's texts. No message asks for anything but to remember.
 * @throws {AgnoChatError} what the model failed with
 */
export async function verifyLive(options: LiveOptions): Promise<LiveResult> {
  const { memory, signal, users: count } = options;
  const ended = new AbortController();
  let live: LiveModel | undefined;
  const openModel = (recorder: Recorder, report: Report): Model => {
    live = new LiveModel(watchedModel(options.model, report), {
      ...{ recorder, maxCalls: options.maxCalls, toolsOnce: true },
      onEnd: () => ended.abort(),
    });
    return live;
  };
  const { results, ...own } = await withOwnUsers(memory, signal, async (newUsers) => {
    const users = newUsers(count);
    const result = await runBattery({
      ...{ ...options, users, openModel, signal: AbortSignal.any([signal, ended.signal]) },
      open: ({ toolkits, ...parts }) =>
        agentOver(memory, options.toolkits)({ ...parts, toolkits: toolkits.map(onlyEcho) }),
      phases: (stage) => livePhases(stage, options.rounds),
    });
    if (live?.failure !== undefined && !signal.aborted) throw live.failure;
    return [result];
  });
  const [result] = results as [BatteryResult];
  const { calls = 0, toolCalls = 0, isOver = false } = live ?? {};
  // One line for all that was not reached.
  if (isOver)
    return {
      ...{ ...own, calls, checks: CHECKS_OF_SENDING, gaps: [tooManyCalls(calls), ...own.gaps] },
      result: { ...result, notReached: [] },
    };
  return {
    ...{ ...own, result, calls },
    checks: toolCalls > 0 ? [...CHECKS, "tools"] : CHECKS,
    notProved: toolCalls > 0 ? own.notProved : [...own.notProved, NO_TOOLS],
  };
}

type Toolkits = Parameters<ReturnType<typeof agentOver>>[0]["toolkits"];

/** The other one changes the session state, and a model may call it twice at once. */
const onlyEcho = ({ name, tools }: Toolkits[number]): Toolkits[number] => ({
  name,
  tools: tools.filter((tool) => tool.name === ECHO),
});

/** The last round offers what a model needs to call a tool; whether it does is its own affair. */
async function livePhases(stage: Stage, rounds: number): Promise<void> {
  const [first, ...others] = stage.users;
  for (let round = 0; round < rounds; round++) {
    const before = round === rounds - 1 ? `Call the tool ${ECHO} once. ` : undefined;
    // The third round is in another session, which must not see the first.
    const whose = (userId: UserId) => stage.whose(userId, round % 3 === 2 ? 1 : 0);
    const sends = () => stage.users.map((userId) => stage.send(whose(userId), { before }));
    await stage.overlap(sends, releaseIn(round));
  }
  if (first === undefined || stage.signal.aborted) return;
  // One before the others, who must get neither that reply nor each other's.
  const same = { sameWords: SAME_WORDS, check: "same-words" } as const;
  await stage.send(stage.whose(first), same);
  await stage.overlap(() => others.map((user) => stage.send(stage.whose(user), same)), "together");
  await stage.readAllBack();
  for (const [index, clearer] of stage.clearers.entries())
    await stage.clear(clearer, inTurn(stage.users, index));
  await stage.readAllBack("clears");
}
