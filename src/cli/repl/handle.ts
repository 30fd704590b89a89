import { AgnoChatError } from "../../errors.js";
import { nearest } from "../../nearest.js";
import type { Input } from "./input.js";
import type { Repl, SayOptions } from "./repl.js";
import { COMMANDS, type SlashCommand } from "./slash-commands.js";

/**
 * Does what one input says, for whoever it was typed by.
 * @throws {AgnoChatError} what went wrong; nothing half done is left behind
 */
export async function handle(repl: Repl, input: Input, options: SayOptions): Promise<void> {
  if (input.kind === "message") await repl.say(input.text, options);
  else await commandOf(input.name).run(repl, { ...options, argument: input.argument });
}

/**
 * @param name As typed, without its slash.
 * @throws {AgnoChatError} `USAGE` with the nearest known command
 */
export function commandOf(name: string): SlashCommand {
  const command = COMMANDS.find((known) => known.name === name || known.aliases?.includes(name));
  if (command !== undefined) return command;
  const near = nearest(
    name,
    COMMANDS.map((known) => known.name),
  );
  throw new AgnoChatError("USAGE", `There is no command /${name}.`, {
    hint:
      near === undefined
        ? "See /help; //text sends text that begins with a slash."
        : `Did you mean /${near}?`,
  });
}
