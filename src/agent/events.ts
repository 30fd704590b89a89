import type { LimitUse } from "../memory/memory.js";
import type { FinishReason, StoredMessage, Usage } from "../messages.js";

/** The result of a run. */
export interface RunOutput {
  readonly runId: string;
  readonly userId: string;
  readonly sessionId: string;
  /**
   * The final reply. Text that turned out to be the model's thoughts is left out, even if it was
   * streamed. Empty only if the model added nothing after its tool calls.
   */
  readonly content: string;
  /** `length`: the reply was cut at the model's token limit. Stored with the message too. */
  readonly finishReason: FinishReason;
  /** All messages that the run stored, the user message first. */
  readonly messages: readonly StoredMessage[];
  /** The sum over all model calls; undefined if the model reports none. */
  readonly usage: Usage | undefined;
  /** The reply as JSON, for a run with `replySchema`, which it fits. */
  readonly value?: unknown;
  /** How much of their limits the user has used, this run included. Absent without limits. */
  readonly limits?: readonly LimitUse[];
}

/** What happens during a run, in order. `run-start` comes first, `run-end` last. */
export type RunEvent =
  | {
      readonly type: "run-start";
      readonly runId: string;
      readonly userId: string;
      readonly sessionId: string;
    }
  | { readonly type: "text-delta"; readonly text: string }
  | {
      readonly type: "retry";
      readonly attempt: number;
      readonly delayMs: number;
      readonly reason: string;
    }
  | {
      /** The history was too long for the model, so only its latest messages are sent now. */
      readonly type: "history-shortened";
      readonly messages: number;
    }
  | {
      /** The reply does not fit `replySchema`. The model is asked once more, from the start. */
      readonly type: "reply-refused";
      readonly reason: string;
    }
  | {
      readonly type: "tool-call";
      readonly toolCallId: string;
      readonly name: string;
      readonly arguments: string;
    }
  | {
      readonly type: "tool-result";
      readonly toolCallId: string;
      readonly name: string;
      readonly content: string;
      readonly isError: boolean;
      readonly durationMs: number;
    }
  | { readonly type: "run-end"; readonly output: RunOutput };
