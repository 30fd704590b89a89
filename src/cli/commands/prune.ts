import { UserTotal } from "../../data/users-of.js";
import { AgnoChatError } from "../../errors.js";
import { storedUserId, type UserId } from "../../ids.js";
import type { CopyStore } from "../../memory/copy-store.js";
import type { DeletedUsers } from "../../memory/memory.js";
import { isTooMany } from "../../memory/sweep.js";
import type { Context } from "../command-context.js";
import { requireConfirmation } from "../confirm.js";
import { countedUsers } from "../counted-users.js";
import { parseDuration } from "../duration.js";
import { withStore } from "../open-store.js";
import { Progress } from "../progress.js";
import { refuseUserFlags } from "../settings/settings.js";
import { inputFilesIn } from "../terminal/input-files.js";
import { count } from "../words.js";

export interface PruneOptions {
  /** The duration that counts as inactive, such as `24h`. */
  readonly inactive?: string;
  readonly dryRun?: boolean;
}

/**
 * `prune --inactive 24h`: deletes the data of users inactive for that long, including the input
 * they typed at the prompt.
 */
export async function prune(
  context: Context,
  _args: string[],
  { inactive, dryRun = false }: PruneOptions,
): Promise<void> {
  if (inactive === undefined)
    throw new AgnoChatError("USAGE", "Missing --inactive.", {
      hint: "For example: agno-chat prune --inactive 24h.",
    });
  refuseUserFlags(
    context.settings,
    (flag) => `prune applies to all users and does not take ${flag}.`,
    "To delete the data of one user: agno-chat clear --user ID.",
  );
  const idleSince = Math.ceil(Date.now() - parseDuration(inactive, "--inactive"));
  await withStore(context, async (store) => {
    const found = await findIdle(context, store, idleSince);
    if (dryRun || store === undefined) return report(context, { deleted: found.idle, dryRun });
    if (found.idle.users > 0)
      await requireConfirmation(context, questionFor(found.idle, found.users));
    report(context, { deleted: await deleteIdle(context, store, { idleSince, found }), dryRun });
  });
}

interface Found {
  readonly idle: DeletedUsers;
  /** All users, idle or not. */
  readonly users: number;
  /** The idle ones whose typed input is kept here. */
  readonly typists: readonly UserId[];
}

async function findIdle(
  context: Context,
  store: CopyStore | undefined,
  idleSince: number,
): Promise<Found> {
  const hasTyped = inputFilesIn(context.home)?.owners() ?? (() => false);
  const idle = new UserTotal();
  const typists: UserId[] = [];
  let users = 0;
  for await (const page of countedUsers(context, store)) {
    const found = page.filter(({ lastActivity }) => lastActivity < idleSince);
    users += page.length;
    idle.add(found);
    typists.push(...found.map(({ userId }) => storedUserId(userId)).filter(hasTyped));
  }
  return { idle, users, typists };
}

/** Keeps who became active since they were counted. When it is stopped, says what it deleted. */
async function deleteIdle(
  context: Context,
  store: CopyStore,
  { idleSince, found }: { readonly idleSince: number; readonly found: Found },
): Promise<DeletedUsers> {
  const { output, signal } = context;
  const progress = new Progress(context);
  let deleted: DeletedUsers = { users: 0, sessions: 0, messages: 0 };
  const onProgress = (now: DeletedUsers): void => {
    deleted = now;
    progress.show(() => `deleted ${deleted.users} of ${count(found.idle.users, "inactive user")}`);
  };
  try {
    const sweep = { idleSince, except: new Set<UserId>(), time: Date.now(), onProgress, signal };
    return await store.deleteIdle(sweep);
  } catch (error) {
    progress.hide();
    if (deleted.users > 0) output.note(`Deleted ${wordsFor(deleted)} before it stopped.`);
    throw error;
  } finally {
    progress.hide();
    for (const userId of found.typists) {
      const [kept] = await store.sessions(userId, { limit: 1 });
      if (kept === undefined) inputFilesIn(context.home)?.remove(userId);
    }
  }
}

/** Warns when most users are inactive: a wrong clock may be the reason. */
const questionFor = (idle: DeletedUsers, users: number): string =>
  isTooMany({ idle: idle.users, users })
    ? `Delete ${wordsFor(idle)}, of ${users} users in all? Check the clock first.`
    : `Delete ${wordsFor(idle)}?`;

function report(
  { options, output }: Context,
  { deleted, dryRun }: { readonly deleted: DeletedUsers; readonly dryRun: boolean },
): void {
  if (options.json) output.document({ ok: true, dryRun, deleted });
  else output.write(`${dryRun ? "Would delete" : "Deleted"} ${wordsFor(deleted)}.\n`);
}

export const wordsFor = ({ messages, users }: DeletedUsers): string =>
  `${count(messages, "message")} of ${count(users, "inactive user")}`;
