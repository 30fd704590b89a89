import type { Awaitable, JsonValue, SessionState } from "../memory/memory.js";
import type { ToolSpec } from "../models/model.js";

/** Makes a key's new value from the stored one, which is frozen; `undefined` means that there is none. */
export type StateChange = (value: JsonValue | undefined) => JsonValue | undefined;

/** Who a tool is called for, and what it may touch. */
export interface ToolContext {
  readonly userId: string;
  readonly sessionId: string;
  readonly runId: string;
  /**
   * The run's own copy of the session state; changes are stored when the run succeeds. It is a proxy: to copy it, spread
   * it. Others may change the same key meanwhile, so what comes of an assignment depends on whether this call had read
   * the key before; changing a value in place counts as both:
   *
   * - Read, then assigned, and another tool of the same reply wrote it in between: the assignment throws, and the call is an
   *   error result that says so.
   * - Read, then assigned, and another process stored another value before the run ended: the run ends with
   *   `STATE_CONFLICT`, and nothing of it is stored.
   * - Never read: the later write wins.
   */
  readonly state: SessionState;
  /**
   * Changes one key without losing what others do to it. `change` is applied at once, and again to what is stored by then
   * when the run is stored: it must answer at once, depend on nothing but its argument, and may throw. Returns the value
   * it has now.
   * @throws what `change` throws; `INVALID_STATE` for a value that is not JSON
   */
  readonly update: (key: string, change: StateChange) => JsonValue | undefined;
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
   * The arguments are a checked object. A string is returned as it is, nothing as `done`, anything else as JSON; a throw, and
   * what is not JSON at any depth (an Error, a Map, NaN, …), becomes a tool result with `isError`.
   */
  execute(args: unknown, context: ToolContext): Awaitable<unknown>;
}

/** A named group of tools. */
export interface Toolkit {
  readonly name: string;
  readonly tools: readonly Tool[];
}
