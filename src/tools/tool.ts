import type { Awaitable, SessionState } from "../memory/memory.js";
import type { ToolSpec } from "../models/model.js";

/** Who a tool is called for, and what it may touch. */
export interface ToolContext {
  readonly userId: string;
  readonly sessionId: string;
  readonly runId: string;
  /** The run's own copy of the session state; changes are stored when the run succeeds. */
  readonly state: SessionState;
  /** Aborts when the run is cancelled or the tool takes too long. */
  readonly signal: AbortSignal;
}

/** What a model may call. `defineTool` makes one. */
export interface Tool extends ToolSpec {
  /** Milliseconds after which a call is given up, 1–2147483647. Default: 30,000. */
  readonly timeoutMs?: number;
  /**
   * Checks the arguments, and may change them; throws with the reason when they do not fit. Without it they are checked
   * against `parameters`. Either is stopped when it holds the process for 250 ms, as a pattern that explodes would.
   */
  parse?(args: unknown): Awaitable<unknown>;
  /**
   * The arguments are a checked object. A string is returned as it is, nothing as `done`, anything else as JSON; a throw
   * becomes a tool result with `isError`.
   */
  execute(args: unknown, context: ToolContext): Awaitable<unknown>;
}

/** A named group of tools. */
export interface Toolkit {
  readonly name: string;
  readonly tools: readonly Tool[];
}
