import type { SessionId, UserId } from "../ids.js";
import type { Awaitable, JsonValue, SessionState } from "../memory/memory.js";
import type { ToolSpec } from "../models/model.js";

/** Returns a key's new value for the stored one, which is frozen. `undefined` means no value. */
export type StateUpdater = (value: JsonValue | undefined) => JsonValue | undefined;

/** The user and session of a tool call, and the state it may change. */
export interface ToolContext {
  readonly userId: UserId;
  readonly sessionId: SessionId;
  readonly runId: string;
  /**
   * The run's own copy of the session state. Changes are stored when the run succeeds. Once the
   * call is over or out of time, the state is empty and takes nothing. It is a proxy, which
   * `structuredClone` refuses: spread it to copy it. Assign a copy of a default that all users
   * share, because what is assigned stays the tool's own object.
   *
   * Others may change the same key at the same time, so the effect of an assignment depends on
   * whether this call has read the key before. Changing a value in place counts as reading and
   * assigning.
   *
   * - Read, then assigned, while another tool of the same reply wrote it: the assignment throws,
   *   and the call becomes an error result that says so.
   * - Read, then assigned, while another process stored another value: the run ends with
   *   `STATE_CONFLICT`, and nothing of it is stored.
   * - Never read: the later write wins.
   */
  readonly state: SessionState;
  /**
   * Changes one key without losing concurrent changes. `change` is applied now, and again to the
   * value stored by then when the run is stored, so it must be synchronous and depend only on its
   * argument. It may throw. Returns the new value.
   * @throws what `change` throws; `INVALID_STATE` for a value that is not JSON
   */
  readonly update: (key: string, change: StateUpdater) => JsonValue | undefined;
  /** Aborts when the run is cancelled or the tool takes too long. */
  readonly signal: AbortSignal;
}

/** A tool that a model may call. Create one with `defineTool`. */
export interface Tool extends ToolSpec {
  /** Milliseconds until a call times out, 1–2147483647. Default: 30,000. */
  readonly timeoutMs?: number;
  /**
   * Keeps something in the session state, so that it is of no use where nothing is kept: it is left
   * out of detached conversations, such as those of `/v1/chat/completions`. Default: false.
   */
  readonly needsMemory?: boolean;
  /**
   * Validates the arguments and may transform them; throws the reason when they do not fit. Without
   * it they are validated against `parameters`. Either way, validation that blocks the process for
   * 250 ms is stopped, as with catastrophic backtracking.
   */
  parse?(args: unknown): Awaitable<unknown>;
  /**
   * Runs the tool with validated arguments. The model gets a string as is, `done` for undefined,
   * and anything else as JSON. A throw, or a value that is not JSON at any depth (an Error, a Map,
   * NaN, …), becomes a tool result with `isError`.
   */
  execute(args: unknown, context: ToolContext): Awaitable<unknown>;
}

/** A named group of tools. */
export interface Toolkit {
  readonly name: string;
  readonly tools: readonly Tool[];
}
