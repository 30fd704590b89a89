import { stat } from "node:fs/promises";
import { type Loss, type Salvaged, salvageStore } from "../../../data/salvage-store.js";
import { ERROR_TABLE } from "../../../errors.js";
import type { Context } from "../../command-context.js";
import { storeOf } from "../../open-agent.js";
import { Progress } from "../../progress.js";
import { makeStoreFile } from "../../store-file.js";
import { bytesText, count } from "../../words.js";

/** How many users are named on stderr. */
const NAMED = 100;

/** `store salvage FILE`: saves who can be read. Exit code 5 when somebody is lost. */
export async function salvage(context: Context, [file = ""]: string[]): Promise<number> {
  const spec = storeOf(context);
  const { signal } = context;
  const progress = new Progress(context);
  const fill = (target: string): Promise<Salvaged> =>
    salvageStore(spec, {
      target,
      signal,
      onProgress: ({ done, total }) => progress.show(() => `${done} of ${count(total, "user")}`),
    }).finally(() => progress.hide());
  const saved = await makeStoreFile(file, { from: spec, overwrite: undefined }, fill);
  return report(context, { file, ...saved });
}

async function report(
  { options, output }: Context,
  { file, ...saved }: Salvaged & { readonly file: string },
): Promise<number> {
  const { users, messages, lost, damaged, nameless, isListWhole } = saved;
  const { size: bytes } = await stat(file);
  const ok = isListWhole && lost.length + damaged.length + nameless === 0;
  if (options.json) output.document({ ok, file, bytes, ...saved });
  else {
    const all = users + lost.length + nameless;
    const what = `${users} of ${count(all, "user")} with ${count(messages, "message")}`;
    output.write(`Saved ${what} to ${file} (${bytesText(bytes)}).\n`);
  }
  const losses = [...damaged.map(lossText), ...lost.map((user) => `all of ${user}`)];
  for (const loss of losses.slice(0, NAMED)) output.note(`Lost: ${loss}.`);
  if (losses.length > NAMED) output.note(`And of ${losses.length - NAMED} more users: see --json.`);
  if (nameless > 0) output.note(`Lost: ${count(nameless, "user")} whose id cannot be read.`);
  if (!isListWhole) output.note("The list of users cannot all be read: others may be lost.");
  output.note("Tokens, limits and what was used of them are not in it.");
  return ok ? 0 : ERROR_TABLE.EXPECTATION_FAILED.exit;
}

function lossText({ user, messages, states }: Loss): string {
  const parts = [
    messages > 0 ? count(messages, "message") : "",
    states > 0 ? `the state of ${count(states, "session")}` : "",
  ];
  return `${parts.filter((part) => part !== "").join(" and ")} of ${user}`;
}
