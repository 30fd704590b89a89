import { UserTotal } from "../../data/users-of.js";
import { AgnoChatError } from "../../errors.js";
import type { CopyStore } from "../../memory/copy-store.js";
import { countsOf } from "../../memory/counts.js";
import { noEdits } from "../../memory/failures.js";
import type { Deleted, DeletedUsers, Memory } from "../../memory/memory.js";
import type { Context } from "../command-context.js";
import { requireConfirmation } from "../confirm.js";
import { countedUsers } from "../counted-users.js";
import { parseDuration } from "../duration.js";
import { withMemory } from "../open-agent.js";
import { withStore } from "../open-store.js";
import { namedSession, refuseUserFlags } from "../settings/settings.js";
import { inputFilesIn } from "../terminal/input-files.js";
import { count } from "../words.js";
import type { Proving } from "./clear-proof.js";
import type { ClearReport } from "./clear-report.js";

export interface ClearOptions {
  readonly allUsers?: boolean;
  readonly dryRun?: boolean;
  /** Deletes only runs that ended longer ago than this duration, such as `30d`. */
  readonly olderThan?: string;
  readonly prove?: boolean;
  /** Files that `--prove` searches, too. */
  readonly also?: readonly string[];
}

/**
 * `clear`: deletes the data of one user in one session, or in all sessions together with the input
 * typed at the prompt. Deletes every user's data only with `--all-users`. With `--prove`, the exit
 * code is 5 when something is left.
 */
export async function clear(
  context: Context,
  _args: string[],
  options: ClearOptions,
): Promise<number> {
  const { allUsers = false, dryRun = false, olderThan } = options;
  refuseTogether(options);
  if (allUsers) return clearEveryone(context, dryRun);
  const proving = await provingOf(context, options);
  const age = olderThan === undefined ? undefined : parseDuration(olderThan, "--older-than");
  const done = await withMemory(context, (memory) =>
    olderThan === undefined || age === undefined
      ? clearUser(context, memory, { dryRun, proving })
      : clearOld(context, memory, { age, olderThan, dryRun, proving }),
  );
  if (proving !== undefined) return proving.report(done);
  report(context, done);
  return 0;
}

function refuseTogether({ allUsers, dryRun, olderThan, prove, also }: ClearOptions): void {
  if (allUsers && olderThan !== undefined)
    throw new AgnoChatError("USAGE", "--all-users does not go with --older-than.", {
      hint: "To delete users who are inactive: agno-chat prune --inactive 30d.",
    });
  if (also !== undefined && !prove)
    throw new AgnoChatError("USAGE", "--also goes with --prove alone.");
  if (prove && (allUsers || dryRun))
    throw new AgnoChatError(
      "USAGE",
      `--prove does not go with ${allUsers ? "--all-users" : "--dry-run"}.`,
      { hint: "It deletes what one user has, and looks at what is left of it." },
    );
}

async function provingOf(
  context: Context,
  { prove = false, also = [] }: ClearOptions,
): Promise<Proving | undefined> {
  if (!prove) return undefined;
  const { Proving } = await import("./clear-proof.js");
  return Proving.of(context, also);
}

interface ClearParts {
  /** Only count what would be deleted. */
  readonly dryRun: boolean;
  readonly proving: Proving | undefined;
}

async function clearUser(
  context: Context,
  memory: Memory,
  { dryRun: isDry, proving }: ClearParts,
): Promise<ClearReport> {
  const { user } = context.settings.values;
  const session = namedSession(context.settings);
  const { messages, sessions } = await countsOf(memory, user, { sessionId: session });
  const found = { messages, sessions };
  const words = (deleted: Deleted) => wordsFor(deleted, { user, session });
  const isInputKept = session !== undefined;
  const scope = { user, session: session ?? null, isDry, isInputKept };
  if (isDry) return { ...scope, deleted: found, words: words(found) };
  if (found.messages > 0) await requireConfirmation(context, `Delete ${words(found)}?`);
  await proving?.before(Infinity);
  const deleted = await memory.clear(user, { sessionId: session });
  if (!isInputKept) inputFilesIn(context.home)?.remove(user);
  return { ...scope, deleted, words: words(deleted) };
}

interface OldRuns extends ClearParts {
  /** In milliseconds. */
  readonly age: number;
  /** The age as it was typed. */
  readonly olderThan: string;
}

/** The typed input has no dates, so it stays as long as anything of the user does. */
async function clearOld(
  context: Context,
  memory: Memory,
  { age, olderThan, dryRun, proving }: OldRuns,
): Promise<ClearReport> {
  const { edits } = memory;
  if (edits === undefined) throw noEdits();
  const { user } = context.settings.values;
  const session = namedSession(context.settings);
  const before = Math.max(0, Date.now() - age);
  const old = { sessionId: session, before };
  const words = (deleted: Deleted) =>
    `${wordsFor(deleted, { user, session })} older than ${olderThan}`;
  const scope = {
    ...{ user, session: session ?? null, before: new Date(before).toISOString() },
    isDry: dryRun,
  };
  const found = await edits.clearBefore(user, { ...old, dryRun: true });
  if (dryRun) return { ...scope, deleted: found, words: words(found), isInputKept: true };
  if (found.messages > 0) await requireConfirmation(context, `Delete ${words(found)}?`);
  await proving?.before(before);
  const deleted = await edits.clearBefore(user, old);
  const isInputKept = (await countsOf(memory, user)).sessions > 0;
  if (!isInputKept) inputFilesIn(context.home)?.remove(user);
  return { ...scope, deleted, words: words(deleted), isInputKept };
}

async function clearEveryone(context: Context, isDry: boolean): Promise<number> {
  refuseUserFlags(
    context.settings,
    (flag) => `--all-users does not go with ${flag}.`,
    "Give only one of them.",
  );
  await withStore(context, async (store) => {
    const found = await everyone(context, store);
    const words = ({ messages, users }: DeletedUsers) =>
      `${count(messages, "message")} of ${count(users, "user")}`;
    const scope = { user: null, session: null, isDry, isInputKept: isDry };
    if (isDry) return report(context, { ...scope, deleted: found, words: words(found) });
    if (found.users > 0)
      await requireConfirmation(context, `Delete all data of ${count(found.users, "user")}?`);
    const deleted = (await store?.deleteAll()) ?? found;
    inputFilesIn(context.home)?.removeAll();
    report(context, { ...scope, deleted, words: words(deleted) });
  });
  return 0;
}

/** What all users have. */
async function everyone(context: Context, store: CopyStore | undefined): Promise<DeletedUsers> {
  const total = new UserTotal();
  for await (const page of countedUsers(context, store)) total.add(page);
  return total;
}

const wordsFor = (
  { messages }: Deleted,
  { user, session }: { readonly user: string; readonly session: string | undefined },
): string =>
  `${count(messages, "message")} of ${user}${session === undefined ? "" : ` in ${session}`}`;

function report(
  { options, output }: Context,
  { isDry: dryRun, isInputKept: _, words, ...rest }: ClearReport,
): void {
  if (options.json) output.document({ ok: true, dryRun, ...rest });
  else output.write(`${dryRun ? "Would delete" : "Deleted"} ${words}.\n`);
}
