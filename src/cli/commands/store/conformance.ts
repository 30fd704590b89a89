import { AgnoChatError, ERROR_TABLE } from "../../../errors.js";
import type { CopyStore } from "../../../memory/copy-store.js";
import { openCopyStore } from "../../../memory/open-copy-store.js";
import { storeConformance } from "../../../testing/store-conformance.js";
import type { Context } from "../../command-context.js";
import { count } from "../../words.js";

interface Test {
  readonly title: string;
  readonly run: () => Promise<void>;
}

interface Outcome {
  readonly rule: string;
  readonly ok: boolean;
  /** What went wrong. */
  readonly reason?: string;
}

/** Tests every rule of a store in the place that `spec` names, which must be empty. */
export async function checkConformance(context: Context, spec: string): Promise<number> {
  const { options, output, signal } = context;
  await assertEmpty(context, spec);
  const outcomes: Outcome[] = [];
  for (const test of testsOf(context, spec)) {
    signal.throwIfAborted();
    const outcome = await outcomeOf(test);
    outcomes.push(outcome);
    const reason = outcome.reason === undefined ? "" : `: ${outcome.reason}`;
    output.write(`${outcome.ok ? "ok    " : "FAILED"} ${outcome.rule}${reason}\n`);
  }
  await (await emptied(context, spec)).close();
  const failed = outcomes.filter(({ ok }) => !ok).length;
  if (options.json) output.document({ ok: failed === 0, rules: outcomes });
  else output.write(`${count(outcomes.length - failed, "rule")} kept, ${failed} broken.\n`);
  return failed === 0 ? 0 : ERROR_TABLE.EXPECTATION_FAILED.exit;
}

const open = ({ output }: Context, spec: string): Promise<CopyStore> =>
  openCopyStore(spec, { notice: (line) => output.note(line) });

async function assertEmpty(context: Context, spec: string): Promise<void> {
  const store = await open(context, spec);
  try {
    const { users } = await store.countUsers({ idleSince: 0 });
    if (users === 0) return;
    throw new AgnoChatError("USAGE", `The store holds ${count(users, "user")}; nothing was done.`, {
      hint: "The tests delete everything: name an empty database.",
    });
  } finally {
    await store.close();
  }
}

async function emptied(context: Context, spec: string): Promise<CopyStore> {
  const store = await open(context, spec);
  await store.deleteAll();
  return store;
}

function testsOf(context: Context, spec: string): readonly Test[] {
  const tests: Test[] = [];
  const it = (title: string, run: () => Promise<void>): number => tests.push({ title, run });
  storeConformance({
    name: "the store",
    open: () => emptied(context, spec),
    describe: (_title, body) => body(),
    it: Object.assign(it, { skip: () => {} }),
  });
  return tests;
}

async function outcomeOf({ title, run }: Test): Promise<Outcome> {
  try {
    await run();
    return { rule: title, ok: true };
  } catch (error) {
    return { rule: title, ok: false, reason: (error as Error).message };
  }
}
