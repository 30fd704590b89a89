import type { RunEvent, RunOutput } from "../../agent/events.js";
import { errorObject } from "./error-object.js";
import type { KeptRun } from "./response-id.js";
import {
  itemIdOf,
  type OutputMessage,
  outputMessage,
  outputText,
  type ResponseFrame,
  type ResponseState,
  responseObject,
  statusOf,
} from "./response-object.js";

/**
 * Turns the events of a run into those of a response. Nothing comes before the model's first word,
 * so that a run that fails by then is answered with a status. What the agent's own tools do is not
 * shown: clients would try to carry it out.
 */
export class ResponseEvents {
  readonly #frameOf: (run: KeptRun) => ResponseFrame;
  #frame: ResponseFrame | undefined;
  #sequence = 0;
  #hasBegun = false;
  readonly #done: OutputMessage[] = [];
  /** The text of the message under way. */
  #text: string | undefined;

  constructor(frameOf: (run: KeptRun) => ResponseFrame) {
    this.#frameOf = frameOf;
  }

  *of(event: RunEvent) {
    if (event.type === "run-start") this.#frame = this.#frameOf(event);
    const frame = this.#frame;
    if (frame === undefined) return;
    if (event.type === "text-delta") yield* this.#delta(frame, event.text);
    if (event.type === "tool-call") yield* this.#endMessage(frame, this.#text, "completed");
    if (event.type === "run-end") yield* this.#end(frame, event.output);
  }

  /** The end of a response that failed. Clients read either of these events. */
  *failed(thrown: unknown) {
    const error = errorObject(thrown);
    const { message, code, param } = error;
    // OpenAI documents the fields and sends the object; its client throws on the object alone.
    yield this.#event("error", { error, message, code, param });
    if (this.#frame === undefined) return;
    const state = { status: "failed", output: this.#done, error: message } as const;
    yield this.#whole("response.failed", this.#frame, state);
  }

  *#delta(frame: ResponseFrame, delta: string) {
    yield* this.#begin(frame);
    if (this.#text === undefined) yield* this.#beginMessage(frame);
    this.#text = `${this.#text ?? ""}${delta}`;
    yield this.#event("response.output_text.delta", { ...this.#part(frame), delta, logprobs: [] });
  }

  *#begin(frame: ResponseFrame) {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const state = { status: "in_progress", output: [] } as const;
    yield this.#whole("response.created", frame, state);
    yield this.#whole("response.in_progress", frame, state);
  }

  *#beginMessage(frame: ResponseFrame) {
    const { item_id: id, output_index, content_index } = this.#part(frame);
    const item = outputMessage(id, undefined, "in_progress");
    yield this.#event("response.output_item.added", { output_index, item });
    const part = { item_id: id, output_index, content_index, part: outputText("") };
    yield this.#event("response.content_part.added", part);
  }

  /** @param text All of it, which may differ from its pieces, as these may have been thoughts. */
  *#endMessage(frame: ResponseFrame, text: string | undefined, status: "completed" | "incomplete") {
    if (text === undefined) return;
    const at = this.#part(frame);
    const { item_id: id, output_index } = at;
    yield this.#event("response.output_text.done", { ...at, text, logprobs: [] });
    yield this.#event("response.content_part.done", { ...at, part: outputText(text) });
    const item = outputMessage(id, text, status);
    yield this.#event("response.output_item.done", { output_index, item });
    this.#done.push(item);
    this.#text = undefined;
  }

  *#end(frame: ResponseFrame, output: RunOutput) {
    const { content, usage } = output;
    const status = statusOf(output);
    yield* this.#begin(frame);
    // A model may have told all of its text with its end.
    if (this.#text === undefined && content !== "") yield* this.#delta(frame, content);
    if (this.#text !== undefined) yield* this.#endMessage(frame, content, status);
    const state = { status, output: this.#done, usage } as const;
    yield this.#whole(`response.${status}`, frame, state);
  }

  /** Where the message under way stands. Each message has one part. */
  #part({ run }: ResponseFrame) {
    const output_index = this.#done.length;
    return { item_id: itemIdOf(run, output_index), output_index, content_index: 0 };
  }

  #whole<const Type extends string>(type: Type, frame: ResponseFrame, state: ResponseState) {
    return this.#event(type, { response: responseObject(frame, state) });
  }

  #event<const Type extends string, Data extends object>(type: Type, data: Data) {
    const sequence_number = this.#sequence;
    this.#sequence += 1;
    return { type, sequence_number, ...data };
  }
}
