import type { Context } from "../command-context.js";
import type { FirstMessage } from "./first-message.js";
import { interactive } from "./interactive.js";

/** A chat with somebody at a terminal, until they leave. */
export async function chatOnTerminal(context: Context, first?: FirstMessage): Promise<void> {
  const { stdout, env } = context.io;
  if (stdout.isTTY && env.TERM !== "dumb") await interactive(context, first);
  else await (await import("./plain.js")).plain(context, first);
}
