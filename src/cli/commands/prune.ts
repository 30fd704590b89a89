import { AgnoChatError } from "../../errors.js";
import { storedUserId } from "../../ids.js";
import { totalOf } from "../../memory/history-size.js";
import type { DeletedUsers, Memory, UserInfo } from "../../memory/memory.js";
import { isTooMany } from "../../memory/sweep.js";
import type { Context } from "../command-context.js";
import { requireConfirmation } from "../confirm.js";
import { parseDuration } from "../duration.js";
import { withMemory } from "../open-agent.js";
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
  const maxAge = parseDuration(inactive, "--inactive");
  await withMemory(context, async (memory) => {
    const users = await memory.users();
    const idle = totalOf(users.filter(isIdleFor(maxAge)));
    if (dryRun) return report(context, idle, "Would delete");
    if (idle.users > 0) await requireConfirmation(context, questionFor(idle, users.length));
    report(context, await removeIn(memory, maxAge, context), "Deleted");
  });
}

async function removeIn(memory: Memory, maxAge: number, context: Context): Promise<DeletedUsers> {
  const before = await memory.users();
  // Forced, because the user has confirmed the number.
  const deleted = await memory.removeInactive(maxAge, { force: true });
  const left = new Set((await memory.users()).map(({ userId }) => userId));
  for (const { userId } of before)
    if (!left.has(userId)) inputFilesIn(context.home)?.remove(storedUserId(userId));
  return deleted;
}

function isIdleFor(maxAge: number): (user: UserInfo) => boolean {
  const latest = new Date(Date.now() - maxAge).toISOString();
  return ({ lastActivity }) => lastActivity < latest;
}

/** Warns when most users are inactive: a wrong clock may be the reason. */
const questionFor = (idle: DeletedUsers, users: number): string =>
  isTooMany({ idle: idle.users, users })
    ? `Delete ${wordsFor(idle)}, of ${users} users in all? Check the clock first.`
    : `Delete ${wordsFor(idle)}?`;

function report({ options, output }: Context, deleted: DeletedUsers, verb: string): void {
  if (options.json) output.document({ ok: true, dryRun: verb !== "Deleted", deleted });
  else output.write(`${verb} ${wordsFor(deleted)}.\n`);
}

export const wordsFor = ({ messages, users }: DeletedUsers): string =>
  `${count(messages, "message")} of ${count(users, "inactive user")}`;
