import { AgnoChatError } from "../../errors.js";
import type { DeletedUsers, Memory, UserInfo } from "../../memory/memory.js";
import { totalOf } from "../../memory/size.js";
import { isTooMany } from "../../memory/sweep.js";
import { confirmed } from "../confirm.js";
import type { Context } from "../context.js";
import { durationOf } from "../duration.js";
import { withMemory } from "../open.js";
import { typedInputIn } from "../terminal/typed-input.js";
import { count } from "../words.js";

export interface PruneOptions {
  /** How long is long. */
  readonly inactive?: string;
  readonly dryRun?: boolean;
}

/** `prune --inactive 24h`: deletes everything of the users who have been idle that long, typed input included. */
export async function prune(
  context: Context,
  _args: string[],
  { inactive, dryRun = false }: PruneOptions,
): Promise<void> {
  if (inactive === undefined)
    throw new AgnoChatError("USAGE", "Nobody says how long is inactive.", {
      hint: "Say for example --inactive 24h.",
    });
  for (const name of ["user", "session"] as const)
    if (context.settings.origins[name] === "flag")
      throw new AgnoChatError("USAGE", `prune is about everyone: it takes no --${name}.`, {
        hint: "To delete one user: agno-chat clear --user ID.",
      });
  const maxAge = durationOf(inactive, "--inactive");
  await withMemory(context, async (memory) => {
    const users = await memory.users();
    const idle = totalOf(users.filter(isIdleFor(maxAge)));
    if (dryRun) return report(context, idle, "Would delete");
    if (idle.users > 0) await confirmed(context, questionFor(idle, users.length));
    report(context, await removeIn(memory, maxAge, context), "Deleted");
  });
}

async function removeIn(memory: Memory, maxAge: number, context: Context): Promise<DeletedUsers> {
  const before = await memory.users();
  // Whoever said yes knew how many.
  const deleted = await memory.removeInactive(maxAge, { force: true });
  const left = new Set((await memory.users()).map(({ userId }) => userId));
  for (const { userId } of before)
    if (!left.has(userId)) typedInputIn(context.home)?.remove(userId);
  return deleted;
}

function isIdleFor(maxAge: number): (user: UserInfo) => boolean {
  const latest = new Date(Date.now() - maxAge).toISOString();
  return ({ lastActivity }) => lastActivity < latest;
}

/** Most users at once may be the clock's doing. */
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
