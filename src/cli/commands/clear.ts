import { UserTotal } from "../../data/users-of.js";
import type { CopyStore } from "../../memory/copy-store.js";
import { sizeOf } from "../../memory/history-size.js";
import type { Deleted, DeletedUsers, Memory } from "../../memory/memory.js";
import type { Context } from "../command-context.js";
import { requireConfirmation } from "../confirm.js";
import { countedUsers } from "../counted-users.js";
import { withMemory } from "../open-agent.js";
import { withStore } from "../open-store.js";
import { namedSession, refuseUserFlags } from "../settings/settings.js";
import { inputFilesIn } from "../terminal/input-files.js";
import { count } from "../words.js";

export interface ClearOptions {
  readonly allUsers?: boolean;
  readonly dryRun?: boolean;
}

/**
 * `clear`: deletes the data of one user in one session, or in all sessions together with the input
 * typed at the prompt. Deletes every user's data only with `--all-users`.
 */
export async function clear(
  context: Context,
  _args: string[],
  { allUsers = false, dryRun = false }: ClearOptions,
): Promise<void> {
  if (allUsers) await clearEveryone(context, dryRun);
  else await withMemory(context, (memory) => clearUser(context, memory, dryRun));
}

/** @param isDry Only count what would be deleted. */
async function clearUser(context: Context, memory: Memory, isDry: boolean): Promise<void> {
  const { user } = context.settings.values;
  const session = namedSession(context.settings);
  const sessions = await memory.sessions(user);
  const found = {
    messages: sizeOf(sessions, session).messages,
    sessions: sessions.filter(({ sessionId }) => (session ?? sessionId) === sessionId).length,
  };
  const words = ({ messages }: Deleted) =>
    `${count(messages, "message")} of ${user}${session === undefined ? "" : ` in ${session}`}`;
  const scope = { user, session: session ?? null, isDry };
  if (isDry) return report(context, { ...scope, deleted: found, words: words(found) });
  if (found.messages > 0) await requireConfirmation(context, `Delete ${words(found)}?`);
  const deleted = await memory.clear(user, { sessionId: session });
  if (session === undefined) inputFilesIn(context.home)?.remove(user);
  report(context, { ...scope, deleted, words: words(deleted) });
}

async function clearEveryone(context: Context, isDry: boolean): Promise<void> {
  refuseUserFlags(
    context.settings,
    (flag) => `--all-users does not go with ${flag}.`,
    "Give only one of them.",
  );
  await withStore(context, async (store) => {
    const found = await everyone(context, store);
    const words = ({ messages, users }: DeletedUsers) =>
      `${count(messages, "message")} of ${count(users, "user")}`;
    const scope = { user: null, session: null, isDry };
    if (isDry) return report(context, { ...scope, deleted: found, words: words(found) });
    if (found.users > 0)
      await requireConfirmation(context, `Delete all data of ${count(found.users, "user")}?`);
    const deleted = (await store?.deleteAll()) ?? found;
    inputFilesIn(context.home)?.removeAll();
    report(context, { ...scope, deleted, words: words(deleted) });
  });
}

/** What all users have. */
async function everyone(context: Context, store: CopyStore | undefined): Promise<DeletedUsers> {
  const total = new UserTotal();
  for await (const page of countedUsers(context, store)) total.add(page);
  return total;
}

interface Report {
  readonly user: string | null;
  readonly session: string | null;
  readonly isDry: boolean;
  readonly deleted: Deleted;
  readonly words: string;
}

function report({ options, output }: Context, { isDry: dryRun, words, ...rest }: Report): void {
  if (options.json) output.document({ ok: true, dryRun, ...rest });
  else output.write(`${dryRun ? "Would delete" : "Deleted"} ${words}.\n`);
}
