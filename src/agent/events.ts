import type { FinishReason, StoredMessage, Usage } from "../messages.js";

/** What a run ended with. */
export interface RunOutput {
  readonly runId: string;
  readonly userId: string;
  readonly sessionId: string;
  /** The final answer, without thoughts that were taken for it while they were streamed. Empty only when the model said nothing more behind its tools. */
  readonly content: string;
  /** `length`: the model stopped at its token limit, so the answer is cut. It is stored with the message too. */
  readonly finishReason: FinishReason;
  /** All the run stored, the user message first. */
  readonly messages: readonly StoredMessage[];
  /** Summed over every call of the model; absent when the model counts nothing. */
  readonly usage: Usage | undefined;
}

/** What happens during a run, in order: first `run-start`, last `run-end`. */
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
      /** The history was too long for the model: it is sent again with its most recent messages only. */
      readonly type: "history-shortened";
      readonly messages: number;
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
