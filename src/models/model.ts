import type { FinishReason, Message, Usage } from "../messages.js";

export type { FinishReason };

/** JSON Schema (2020-12) of an object. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A tool as a model is told of it. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonSchema;
}

/** One call of a model. */
export interface ModelRequest {
  /**
   * What to answer: at most one system message and that one first, at least one user message, never two in a row. The
   * objects may carry more than the keys of `Message`, such as a run id: pass on what you know and nothing else.
   */
  readonly messages: readonly Message[];
  /** Absent when there are none; never empty. */
  readonly tools?: readonly ToolSpec[];
}

export type ModelEvent =
  | { readonly type: "text-delta"; readonly text: string }
  /** A whole call: a model collects the pieces itself. */
  | {
      readonly type: "tool-call";
      readonly id: string;
      readonly name: string;
      readonly arguments: string;
    }
  /** The call is tried again; only ever before the first text or tool call. */
  | {
      readonly type: "retry";
      readonly attempt: number;
      readonly delayMs: number;
      readonly reason: string;
    }
  | {
      readonly type: "finish";
      readonly reason: FinishReason;
      readonly usage?: Usage;
      /** The answer, when it is not all that was streamed: the beginning has turned out to be thoughts. */
      readonly text?: string;
    };

/**
 * What answers. It gets everything it may know in the request and remembers nothing between two calls: one model
 * serves every user at once.
 */
export interface Model {
  /** As shown to users and stored with its replies, for example `demo`. */
  readonly name: string;

  /**
   * Streams the answer to one request. Ends with exactly one `finish`; a stream that ends without one, or fails, throws
   * an `AgnoChatError` with a `MODEL_…` code or `CONTEXT_TOO_LONG`. Stops with the signal's reason soon after an abort.
   */
  stream(
    request: ModelRequest,
    options: { readonly signal: AbortSignal },
  ): AsyncIterable<ModelEvent>;
}
