import { AbortableWaits, type Cancellation } from "../abort.js";
import { AgnoChatError } from "../errors.js";
import type { FinishReason, ToolCall, Usage } from "../messages.js";
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
  readonly emit: (event: RunEvent) => void;
}

/**
 * Streams one reply of the model into `reply`, which keeps what had arrived if the model fails.
 * @throws {AgnoChatError} what the model threw, or `MODEL_BAD_RESPONSE` for a model that broke its
 *   contract
 */
export async function askModel(
  model: Model,
  request: ModelRequest,
  { reply, cancellation, emit }: Asking,
): Promise<void> {
  const waits = new AbortableWaits(cancellation);
  let events: AsyncIterator<ModelEvent> | undefined;
  try {
    events = model.stream(request, optionsOf(cancellation))[Symbol.asyncIterator]();
    while (reply.finishReason === undefined) {
      const { done, value } = await waits.until(events.next());
      if (done) throw unfinished(model);
      applyEvent(value, reply, emit);
    }
  } catch (thrown) {
    cancellation.throwIfAborted();
    if (thrown instanceof AgnoChatError) throw thrown;
    throw new AgnoChatError("MODEL_BAD_RESPONSE", `The model ${model.name} failed.`, {
      hint: "Look at the error's cause.",
      hintId: "see-cause",
      cause: thrown,
    });
  } finally {
    waits.end();
    // Not awaited: a model that ignores the abort must not hold up the run.
    void close(events);
  }
}

const optionsOf = (cancellation: Cancellation) => ({
  get signal(): AbortSignal {
    return cancellation.signal;
  },
});

async function close(events: AsyncIterator<ModelEvent> | undefined): Promise<void> {
  try {
    await events?.return?.();
  } catch {
    // The reply is complete, or its failure is already known.
  }
}

function applyEvent(event: ModelEvent, reply: Reply, emit: (event: RunEvent) => void): void {
  switch (event.type) {
    case "text-delta":
      if (typeof event.text !== "string") throw new TypeError("a text-delta without text");
      reply.text += event.text;
      limitSize("text", reply.text.length);
      return emit(event);
    case "retry":
      return emit(event);
    case "tool-call": {
      const { id, name, arguments: args } = event;
      limitToolCalls(reply.toolCalls.push({ id, name, arguments: args }));
      return emit({ type: "tool-call", toolCallId: id, name, arguments: args });
    }
    case "finish":
      reply.finishReason = event.reason;
      reply.usage = event.usage;
      if (event.text !== undefined && typeof event.text !== "string")
        throw new TypeError("a finish whose text is not a string");
      reply.text = event.text ?? reply.text;
  }
}

const unfinished = (model: Model) =>
  new AgnoChatError("MODEL_BAD_RESPONSE", `The reply of ${model.name} ended early.`, {
    hint: "Try again.",
  });
