import { AgnoChatError } from "../../errors.js";
import type { Memory } from "../../memory/memory.js";
import { sizeOf } from "../../memory/size.js";
import { confirmed } from "../confirm.js";
import type { Context } from "../context.js";
import { namedSession } from "../named-session.js";
import { withMemory } from "../open.js";
import { typedInputIn } from "../repl/typed-input.js";
import { count } from "../words.js";

/** `clear`: deletes what is kept of one user, in one session or in all, typed input included; of everyone only with `--all-users`. */
export async function clear(
  context: Context,
  _args: string[],
  options: Record<string, unknown>,
): Promise<void> {
  await withMemory(context, async (memory) =>
    options.allUsers === true ? clearEveryone(context, memory) : clearUser(context, memory),
  );
}

async function clearUser(context: Context, memory: Memory): Promise<void> {
  const { output, settings } = context;
  const { user } = settings.values;
  const session = namedSession(settings);
  const { messages } = sizeOf(await memory.sessions(user), session);
  const whose = `of ${user}${session === undefined ? "" : ` in ${session}`}`;
  if (messages > 0) await confirmed(context, `Delete ${count(messages, "message")} ${whose}?`);
  const deleted = await memory.clear(user, { sessionId: session });
  if (session === undefined) typedInputIn(context.home)?.remove(user);
  if (context.options.json) output.document({ ok: true, user, session: session ?? null, deleted });
  else output.write(`Deleted ${count(deleted.messages, "message")} ${whose}.\n`);
}

async function clearEveryone(context: Context, memory: Memory): Promise<void> {
  for (const name of ["user", "session"] as const)
    if (context.settings.origins[name] === "flag")
      throw new AgnoChatError("USAGE", `--all-users and --${name} exclude each other.`, {
        hint: "Give one of them.",
      });
  const users = await memory.users();
  if (users.length > 0)
    await confirmed(context, `Delete everything of ${count(users.length, "user")}?`);
  const deleted = await memory.clearAll();
  typedInputIn(context.home)?.removeAll();
  if (context.options.json)
    context.output.document({ ok: true, user: null, session: null, deleted });
  else
    context.output.write(
      `Deleted ${count(deleted.messages, "message")} of ${count(deleted.users, "user")}.\n`,
    );
}
