import { pause } from "../abort.js";
import { AgnoChatError } from "../errors.js";
import type { ToolCall } from "../messages.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import type { DemoCall } from "./demo/demo-request.js";
import { estimateReply } from "./estimate-usage.js";
import type { Model, ModelEvent, ModelRequest } from "./model.js";

export interface DemoModelOptions {
  /** Milliseconds to wait before each word. Default: 0. */
  readonly delayMs?: number | undefined;
}

const KEYS: KnownKeys<DemoModelOptions> = { delayMs: true };

/**
 * A built-in, deterministic model that needs no key and no network. It understands a handful of
 * plain sentences and knows only the messages of its request, so that no user can learn what
 * another said.
 * @example
 * const agent = new Agent({ model: new DemoModel() });
 * const { content } = await agent.run("Thanks", { userId: "alice" });
 * console.log(content); // You're welcome!
 */
export class DemoModel implements Model {
  readonly name = "demo";
  readonly #delayMs: number;

  /** @throws {AgnoChatError} `USAGE` for an unknown option */
  constructor(options: DemoModelOptions = {}) {
    refuseUnknownKeys(options, KEYS, "DemoModel");
    this.#delayMs = options.delayMs ?? 0;
  }

  async *stream(
    request: ModelRequest,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<ModelEvent> {
    if (request.replySchema !== undefined) throw noSchemas();
    const { replyTo } = await import("./demo/intents.js");
    signal.throwIfAborted();
    const reply = replyTo(request);
    const text = typeof reply === "string" ? reply : "";
    const toolCalls = typeof reply === "string" ? [] : callsFor(reply, request);
    yield* this.#speak(text, signal);
    for (const call of toolCalls) yield { type: "tool-call", ...call };
    yield {
      type: "finish",
      reason: toolCalls.length === 0 ? "stop" : "tool-calls",
      usage: estimateReply(request, { text, toolCalls }),
    };
  }

  async *#speak(text: string, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    for (const word of text.match(/\s*\S+\s*/gu) ?? []) {
      if (this.#delayMs > 0) await pause(this.#delayMs, signal);
      signal.throwIfAborted();
      yield { type: "text-delta", text: word };
    }
  }
}

const noSchemas = (): AgnoChatError =>
  new AgnoChatError("MODEL_REPLY_UNFIT", "The demo model cannot reply in JSON.", {
    hint: "Name a real model, of OpenAI or of any server that speaks its API.",
  });

/** Ids include the number of earlier messages, which makes them unique within the conversation. */
const callsFor = (calls: readonly DemoCall[], { messages }: ModelRequest): ToolCall[] =>
  calls.map((call, index) => ({
    id: `demo-${messages.length}-${index + 1}`,
    name: call.name,
    arguments: JSON.stringify(call.arguments),
  }));
