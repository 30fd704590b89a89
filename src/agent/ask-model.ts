import type { Cancellation } from "../abort.js";
import { AgnoChatError } from "../errors.js";
import { type FinishReason, isTokenCount, type ToolCall, type Usage } from "../messages.js";
import { limitSize, limitToolCalls } from "../models/limits.js";
import type { Model, ModelEvent, ModelRequest } from "../models/model.js";
import type { RunEvent } from "./events.js";

/** One reply of a model, collected from its stream. */
export class Reply {
  text = "";
  readonly toolCalls: ToolCall[] = [];
  finishReason: FinishReason | undefined;
  usage: Usage | undefined;
}

interface Asking {
  readonly reply: Reply;
  readonly cancellation: Cancellation;
  readonly emit: Emit | undefined;
}

type Emit = (event: RunEvent) => void;

/**
 * Streams one reply of the model into `reply`, which keeps what had arrived if the model fails.
 * @throws {AgnoChatError} rejects with what the model threw, with the reason of the cancellation,
 *   or with `MODEL_BAD_RESPONSE` for a model that broke its contract
 */
export const askModel = (model: Model, request: ModelRequest, asking: Asking): Promise<void> =>
  new Promise((resolve, reject) => {
    new Reading(model.name, asking, { resolve, reject }).start(model, request);
  });

interface Ending {
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Reads events until the reply is complete, the model fails, or the run is cancelled. Not an async
 * function: that would make several objects per event, and a reply is thousands of them.
 */
class Reading {
  /** Read once: to name the model in a failure must not fail, or the run would never end. */
  readonly #name: string;
  readonly #asking: Asking;
  readonly #ending: Ending;
  #events: AsyncIterator<ModelEvent> | undefined;
  #isOver = false;

  constructor(name: string, asking: Asking, ending: Ending) {
    this.#name = name;
    this.#asking = asking;
    this.#ending = ending;
  }

  start(model: Model, request: ModelRequest): void {
    const { cancellation } = this.#asking;
    cancellation.listen(this.#fail);
    try {
      cancellation.throwIfAborted();
      const stream = model.stream(request, new ModelOptions(cancellation));
      this.#events = stream[Symbol.asyncIterator]();
      this.#next(this.#events);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #next(events: AsyncIterator<ModelEvent>): void {
    // A model may be written by hand and answer without a promise.
    Promise.resolve(events.next()).then(this.#take, this.#fail);
  }

  readonly #take = (read: IteratorResult<ModelEvent>): void => {
    if (this.#isOver) return;
    try {
      const { done, value } = read;
      if (done) throw unfinished(this.#name);
      const { reply, emit } = this.#asking;
      applyEvent(value, reply, emit);
      if (reply.finishReason === undefined) this.#next(this.#events as AsyncIterator<ModelEvent>);
      else this.#end();
    } catch (thrown) {
      this.#fail(thrown);
    }
  };

  #end(): void {
    this.#leave();
    this.#ending.resolve();
  }

  /** Also called when the run is cancelled, whose reason counts more than any failure. */
  readonly #fail = (thrown: unknown): void => {
    if (this.#isOver) return;
    this.#leave();
    const { cancellation } = this.#asking;
    this.#ending.reject(
      cancellation.aborted ? cancellation.reason : modelFailure(this.#name, thrown),
    );
  };

  #leave(): void {
    this.#isOver = true;
    this.#asking.cancellation.forget(this.#fail);
    // Not awaited: a model that ignores the abort must not hold up the run.
    close(this.#events);
  }
}

/** Makes the signal when a model reads it. */
class ModelOptions {
  readonly #cancellation: Cancellation;

  constructor(cancellation: Cancellation) {
    this.#cancellation = cancellation;
  }

  get signal(): AbortSignal {
    return this.#cancellation.signal;
  }
}

/** A failure here changes nothing: the reply is complete, or its failure is already known. */
function close(events: AsyncIterator<ModelEvent> | undefined): void {
  try {
    events?.return?.().then(undefined, ignore);
  } catch {
    // As above.
  }
}

const ignore = (): void => {};

/** A model may use one object for many events, even of several users, so none is handed on. */
function applyEvent(event: ModelEvent, reply: Reply, emit: Emit | undefined): void {
  switch (event.type) {
    case "text-delta": {
      const { text } = event;
      if (typeof text !== "string") throw new TypeError("a text-delta without text");
      reply.text += text;
      limitSize("text", reply.text.length);
      return emit?.({ type: "text-delta", text });
    }
    case "retry":
      return emit?.({ ...event });
    case "tool-call": {
      const { id, name, arguments: args } = event;
      if (typeof id !== "string" || typeof name !== "string" || typeof args !== "string")
        throw new TypeError("a tool-call without an id, a name or arguments");
      limitToolCalls(reply.toolCalls.push({ id, name, arguments: args }));
      return emit?.({ type: "tool-call", toolCallId: id, name, arguments: args });
    }
    case "finish":
      reply.finishReason = event.reason;
      reply.usage = event.usage && usageOf(event.usage);
      if (event.text !== undefined && typeof event.text !== "string")
        throw new TypeError("a finish whose text is not a string");
      reply.text = event.text ?? reply.text;
  }
}

function usageOf({ inputTokens, outputTokens, estimated }: Usage): Usage {
  if (!isTokenCount(inputTokens) || !isTokenCount(outputTokens))
    throw new TypeError("a finish whose usage is not counted");
  return estimated ? { inputTokens, outputTokens, estimated: true } : { inputTokens, outputTokens };
}

const modelFailure = (model: string, thrown: unknown): unknown =>
  thrown instanceof AgnoChatError
    ? thrown
    : new AgnoChatError("MODEL_BAD_RESPONSE", `The model ${model} failed.`, {
        hint: "Look at the error's cause.",
        hintId: "see-cause",
        cause: thrown,
      });

const unfinished = (model: string) =>
  new AgnoChatError("MODEL_BAD_RESPONSE", `The reply of ${model} ended early.`, {
    hint: "Try again.",
  });
