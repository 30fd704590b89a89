import type { Awaitable } from "../../../memory/memory.js";
import type { Repl } from "../repl.js";
import type { Who } from "../screen.js";

export interface CommandCall {
  /** What follows the name; may be empty. */
  readonly argument: string;
  readonly who: Who;
  readonly signal: AbortSignal;
}

export interface SlashCommand {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** As `/help` shows it. */
  readonly argument?: string;
  readonly summary: string;
  /** What Tab offers for the argument. */
  readonly completes?: "users" | "sessions";
  /**
   * When it is done: "at-once"; "after-replies" as a message is; else in turn with the other commands, also while a reply
   * comes.
   */
  readonly turn?: "at-once" | "after-replies";
  readonly run: (repl: Repl, call: CommandCall) => Awaitable<void>;
}
