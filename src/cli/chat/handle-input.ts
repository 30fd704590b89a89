import { AgnoChatError, asAgnoChatError } from "../../errors.js";
import type { Awaitable } from "../../memory/memory.js";
import { nearest } from "../../nearest.js";
import { singleLine } from "../../sanitise.js";
import type { Input } from "./chat-input.js";
import type { Repl, SayOptions, TakenCommand } from "./repl.js";
import { shellHint } from "./shell-commands.js";
import type { SlashCommand } from "./slash/slash-command.js";
import { COMMANDS } from "./slash-commands.js";

/**
 * Sends a message or runs a command as the speaker in `options`.
 * @throws {AgnoChatError} the failure; a failed input leaves nothing half done
 */
export async function handle(repl: Repl, input: Input, options: SayOptions): Promise<void> {
  if (input.kind === "message") await repl.say(input.text, options);
  else await perform(repl, input, options);
}

async function perform(
  repl: Repl,
  { name, argument }: Input & { kind: "command" },
  options: SayOptions,
): Promise<void> {
  const command = commandOf(name);
  if (argument !== "" && command.argument === undefined) throw takesNothing(command, argument);
  const run = () => command.run(repl, { ...options, argument });
  const { speaker } = options;
  if (repl.recording === undefined) await run();
  else await recorded(repl, run, { name: command.name, argument, speaker });
}

/** Runs a command and writes it into the recording, unless the command has ended that. */
async function recorded(
  repl: Repl,
  run: () => Awaitable<void>,
  command: TakenCommand,
): Promise<void> {
  try {
    await run();
    await repl.recording?.did(repl, command);
  } catch (thrown) {
    repl.recording?.failed(command, asAgnoChatError(thrown));
    throw thrown;
  }
}

const takesNothing = ({ name }: SlashCommand, argument: string): AgnoChatError =>
  new AgnoChatError("USAGE", `/${name} takes nothing after it, not ${quoted(argument)}.`, {
    hint: `/${name} alone: see /help.`,
  });

const LONGEST_QUOTE = 60;

const quoted = (text: string): string => JSON.stringify(singleLine(text, LONGEST_QUOTE));

/**
 * @param name As typed, without the slash.
 * @throws {AgnoChatError} `USAGE` with the nearest known command
 */
export function commandOf(name: string): SlashCommand {
  const command = COMMANDS.find((known) => known.name === name || known.aliases?.includes(name));
  if (command !== undefined) return command;
  const hint = shellHint(name);
  if (hint !== undefined)
    throw new AgnoChatError("USAGE", `There is no command /${name} in the chat.`, { hint });
  const near = nearest(
    name,
    COMMANDS.flatMap((known) => [known.name, ...(known.aliases ?? [])]),
  );
  throw new AgnoChatError("USAGE", `There is no command /${name}.`, {
    hint:
      near === undefined
        ? "See /help; //text sends text that begins with a slash."
        : `Did you mean /${near}?`,
  });
}
