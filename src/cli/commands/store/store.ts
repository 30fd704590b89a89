import type { Context } from "../../command-context.js";
import { refuseSubcommand } from "../../subcommands.js";

/** `store` without a known command. */
export async function store(_context: Context, [word]: string[]): Promise<void> {
  refuseSubcommand("store", ["init", "check", "migrate", "salvage", "copy"], word);
}
