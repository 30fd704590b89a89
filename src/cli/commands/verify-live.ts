import type { Model } from "../../models/model.js";
import { maskSecrets } from "../../secrets.js";
import { plantedLeaks } from "../../verify/doubles/judge-the-judge.js";
import { randomSeed } from "../../verify/random.js";
import { reportOf, type VerifyReport } from "../../verify/report/report.js";
import { LIVE_ROUNDS, LIVE_USERS, liveCalls, verifyLive } from "../../verify/targets/live.js";
import { checkCounts } from "../../verify/verify-isolation.js";
import type { Context } from "../command-context.js";
import { requireConfirmation } from "../confirm.js";
import { openConfiguredModel, openConfiguredToolkits, storeOf, withMemory } from "../open-agent.js";
import { VERSION } from "../version.js";
import type { VerifyCounts } from "./verify-options.js";

/**
 * `verify --live`: drives the agent on the store and the model of the settings. Judged is what is
 * sent to the model and what is stored, so nothing depends on what it answers.
 * @throws {AgnoChatError} `NOT_CONFIRMED`; what the model failed with
 */
export async function verifyLiveAgent(
  context: Context,
  { users = LIVE_USERS, runs = users * LIVE_ROUNDS, seed = randomSeed(), ...rest }: VerifyCounts,
): Promise<VerifyReport> {
  const { signal } = context;
  checkCounts(users, runs, "--");
  const rounds = Math.ceil(runs / users);
  const model = await openPaidModel(context, liveCalls(users, rounds), rest.maxCalls);
  const started = performance.now();
  const planted = await plantedLeaks(seed, signal);
  const toolkits = await openConfiguredToolkits(context);
  const { result, ...found } = await withMemory(context, (memory) =>
    verifyLive({ ...rest, memory, model, toolkits, users, rounds, seed, signal }),
  );
  const target = { kind: "live", model: model.name, store: maskSecrets(storeOf(context)) };
  return reportOf({
    ...{ results: [result], ...found, planted, seed, version: VERSION, target },
    evidence: ["sent", "store"],
    durationMs: Math.round(performance.now() - started),
  });
}

/**
 * The model of the settings, once the user knows how often it will be called.
 * @throws {AgnoChatError} `NOT_CONFIRMED`
 */
export async function openPaidModel(
  context: Context,
  calls: number,
  maxCalls = Number.POSITIVE_INFINITY,
): Promise<Model> {
  const model = await openConfiguredModel(context);
  const most = maxCalls < calls ? `, at most ${maxCalls}` : "";
  const what = `all ${model.name} about ${calls} times${most}`;
  context.output.note(`This will c${what}.`);
  await requireConfirmation(context, `C${what}?`);
  return model;
}
