import type { Awaitable } from "../../../memory/memory.js";
import type { Repl } from "../repl.js";
import type { Speaker } from "../screen.js";

export interface CommandCall {
  /** The text after the name; may be empty. */
  readonly argument: string;
  /** The user who typed the command, in their session. Another user may be active by now. */
  readonly speaker: Speaker;
  readonly signal: AbortSignal;
}

export interface SlashCommand {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** As shown by `/help`. Without it, the command takes no argument. */
  readonly argument?: string;
  readonly summary: string;
  /** The values that Tab offers for the argument. */
  readonly completes?: "users" | "sessions" | "files";
  /**
   * When it runs:
   * - "at-once": as soon as it is typed, before commands that are still running.
   * - By default after the commands typed before it, and during a reply.
   * - "after-replies": in turn with messages, after their replies.
   */
  readonly turn?: "at-once" | "after-replies";
  /** Runs in its turn even if the reply before it is stopped: it prepares the next message. */
  readonly outlivesStop?: true;
  readonly run: (repl: Repl, call: CommandCall) => Awaitable<void>;
}
