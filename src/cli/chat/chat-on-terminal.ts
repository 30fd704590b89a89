import type { Context } from "../command-context.js";

/**
 * A chat with somebody at a terminal, until they leave.
 * @param first A message to begin with, as if it had been typed.
 */
export async function chatOnTerminal(context: Context, first?: string): Promise<void> {
  const { stdout, env } = context.io;
  if (stdout.isTTY && env.TERM !== "dumb")
    await (await import("./interactive.js")).interactive(context, first);
  else await (await import("./plain.js")).plain(context, first);
}
