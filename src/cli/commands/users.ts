import type { Context } from "../command-context.js";
import { withMemory } from "../open-agent.js";

/** `users`: lists the users who have a history. */
export async function users(context: Context): Promise<void> {
  const { options, output } = context;
  const found = await withMemory(context, async (memory) => memory.users());
  if (options.json)
    output.document({
      ok: true,
      users: found.map(({ userId, ...rest }) => ({ user: userId, ...rest })),
    });
  else if (found.length === 0) output.note("No user has a history yet.");
  else
    output.table([
      ["user", "sessions", "messages", "last activity"],
      ...found.map((user) => [
        user.userId,
        `${user.sessions}`,
        `${user.messages}`,
        user.lastActivity,
      ]),
    ]);
}
