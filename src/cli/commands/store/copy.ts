import { type CopiedUser, copyUsers } from "../../../data/copy-users.js";
import { AgnoChatError, ERROR_TABLE } from "../../../errors.js";
import { requireStore } from "../../../memory/check-store.js";
import type { CopyStore } from "../../../memory/copy-store.js";
import { openCopyStore } from "../../../memory/open-copy-store.js";
import type { Context } from "../../command-context.js";
import { Progress } from "../../progress.js";
import { count } from "../../words.js";

export interface CopyStoreOptions {
  readonly from?: string;
  readonly to?: string;
  readonly dryRun?: boolean;
}

/** How many refused users the document of `--json` names. */
const NAMED = 100;

/** `store copy --from STORE --to STORE`. Exit code 5 when a user was refused. */
export async function copy(
  context: Context,
  _args: string[],
  { from, to, dryRun = false }: CopyStoreOptions,
): Promise<number> {
  const source = required(from, "--from");
  const target = required(to, "--to");
  // Opening a store that is not there would make it.
  await requireStore(source);
  const exists = !dryRun || (await isReady(target));
  const notice = (line: string): void => context.output.note(line);
  const opened: CopyStore[] = [];
  try {
    opened.push(await openCopyStore(source, { notice }));
    if (exists) opened.push(await openCopyStore(target, { notice }));
    const [fromStore, toStore] = opened as [CopyStore, CopyStore | undefined];
    const total = await fromStore.countUsers({ idleSince: 0 });
    const { signal } = context;
    const users = copyUsers({ from: fromStore, to: toStore, dryRun, signal });
    const code = await report(context, { users, total: total.users, dryRun });
    const left = await leftBehind(fromStore);
    if (left !== undefined) notice(left);
    return code;
  } finally {
    for (const store of opened.reverse()) await store.close();
  }
}

function required(spec: string | undefined, flag: string): string {
  if (spec !== undefined) return spec;
  throw new AgnoChatError("USAGE", `Missing ${flag}.`, {
    hint: "For example: agno-chat store copy --from sqlite:chat.db --to postgres://USER@HOST/DATABASE",
  });
}

async function isReady(spec: string): Promise<boolean> {
  try {
    await requireStore(spec);
    return true;
  } catch (error) {
    if (error instanceof AgnoChatError && error.code === "STORE_NOT_READY") return false;
    throw error;
  }
}

/** Undefined if the source has nothing of the kind. */
async function leftBehind({ tokens, limits }: CopyStore): Promise<string | undefined> {
  const [some = [], limited = []] = [await tokens?.list(undefined), await limits?.list()];
  const parts = [
    some.length > 0 ? `${count(some.length, "token")} (make new ones: token create)` : "",
    limited.length > 0 ? `the limits of ${count(limited.length, "user")} (limit set)` : "",
  ];
  const left = parts.filter((part) => part !== "").join(" and ");
  return left === "" ? undefined : `Not copied: ${left}.`;
}

interface Work {
  readonly users: AsyncIterable<CopiedUser>;
  readonly total: number;
  readonly dryRun: boolean;
}

const REASONS = {
  differs: "the target has another history under this id; clear it there to copy this one",
  changed: "the source changed meanwhile; run the copy again when nobody writes to it",
} as const;

async function report(context: Context, { users, total, dryRun }: Work): Promise<number> {
  const { options, output } = context;
  const progress = new Progress(context);
  const [copied, equal] = [new Sum(), new Sum()];
  const refused: { user: string; reason: keyof typeof REASONS }[] = [];
  let refusals = 0;
  try {
    for await (const { userId, messages, outcome } of users) {
      if (outcome === "copied") copied.add(messages);
      else if (outcome === "equal") equal.add(messages);
      else {
        refusals += 1;
        if (refusals <= NAMED) refused.push({ user: userId, reason: outcome });
        progress.hide();
        output.note(`Not copied: ${userId}: ${REASONS[outcome]}.`);
      }
      const seen = copied.users + equal.users + refusals;
      progress.show(() => `${seen} of ${count(total, "user")}, ${copied.words}`);
    }
  } finally {
    progress.hide();
  }
  const ok = refusals === 0;
  if (options.json)
    output.document({ ok, dryRun, copied: copied.counts, equal: equal.counts, refusals, refused });
  else
    output.write(
      `${dryRun ? "Would copy" : "Copied"} ${copied.words}; ${equal.words} were there already; ` +
        `${count(refusals, "user")} refused.\n`,
    );
  return ok ? 0 : ERROR_TABLE.EXPECTATION_FAILED.exit;
}

class Sum {
  users = 0;
  messages = 0;

  add(messages: number): void {
    this.users += 1;
    this.messages += messages;
  }

  get counts(): { readonly users: number; readonly messages: number } {
    return { users: this.users, messages: this.messages };
  }

  get words(): string {
    return `${count(this.messages, "message")} of ${count(this.users, "user")}`;
  }
}
