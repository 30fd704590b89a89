import type { Contents, FinishReason, Message, Usage } from "../messages.js";

export type { FinishReason };

/** The JSON Schema (2020-12) of an object. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** The description of a tool that is sent to the model. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonSchema;
}

/** The input of one model call. */
export interface ModelRequest {
  /**
   * The conversation to answer: at most one system message, always first; at least one user
   * message, never two in a row. The objects may have more keys than `Message`, such as a run id:
   * pass on only the keys you know. Files of text stand in the content of their message.
   */
  readonly messages: readonly Message[];
  /**
   * The contents of the pictures that messages name as `attachments`, by hash. Absent when they
   * name none. A model that cannot look at pictures says so, or leaves them out.
   */
  readonly pictures?: Contents;
  /** Absent when there are no tools; never empty. */
  readonly tools?: readonly ToolSpec[];
  /**
   * What the reply has to fit, as JSON. The system message says so too, and the reply is checked: a
   * model that cannot make sure of it leaves this alone.
   */
  readonly replySchema?: JsonSchema;
}

export type ModelEvent =
  | { readonly type: "text-delta"; readonly text: string }
  /** A complete call: the model assembles its pieces. */
  | {
      readonly type: "tool-call";
      readonly id: string;
      readonly name: string;
      readonly arguments: string;
    }
  /** The call failed and will be retried. Only sent before the first text or tool call. */
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
      /**
       * The final answer when it differs from the streamed text, because that began with thoughts.
       */
      readonly text?: string;
    };

/**
 * Generates the answers. One model serves every user at once, so it remembers nothing between
 * calls: everything it may know is in the request.
 */
export interface Model {
  /** Shown to users and stored with the replies, for example `demo`. */
  readonly name: string;

  /**
   * Streams the answer to one request, which ends with exactly one `finish`. Soon after an abort it
   * throws the signal's reason.
   * @throws {AgnoChatError} a `MODEL_…` code or `CONTEXT_TOO_LONG` for any failure
   */
  stream(
    request: ModelRequest,
    options: { readonly signal: AbortSignal },
  ): AsyncIterable<ModelEvent>;
}
