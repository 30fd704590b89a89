import { pause } from "../abort.js";
import { AgnoChatError } from "../errors.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import type { DemoCall } from "./demo/demo-request.js";
import type { Model, ModelEvent, ModelRequest } from "./model.js";

/** A rough figure for English text. */
const CHARACTERS_PER_TOKEN = 4;

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
    if (typeof reply === "string") yield* this.#speak(reply, signal);
    else yield* toolCalls(reply, request);
    yield {
      type: "finish",
      reason: typeof reply === "string" ? "stop" : "tool-calls",
      usage: {
        inputTokens: tokensIn(JSON.stringify(request.messages)),
        outputTokens: tokensIn(typeof reply === "string" ? reply : JSON.stringify(reply)),
        estimated: true,
      },
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
function* toolCalls(calls: readonly DemoCall[], { messages }: ModelRequest): Generator<ModelEvent> {
  for (const [index, call] of calls.entries())
    yield {
      type: "tool-call",
      id: `demo-${messages.length}-${index + 1}`,
      name: call.name,
      arguments: JSON.stringify(call.arguments),
    };
}

const tokensIn = (text: string): number => Math.ceil(text.length / CHARACTERS_PER_TOKEN);
