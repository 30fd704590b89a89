import type { Model, ModelEvent, ModelRequest } from "./model.js";
import { Answer } from "./openai/answer.js";
import { Call } from "./openai/call.js";
import { Client } from "./openai/client.js";
import { failureOf } from "./openai/failure.js";
import { HttpFailure } from "./openai/http-fetch.js";
import { parseChunk } from "./openai/parse-chunk.js";
import { type Dialect, firstDialect, otherDialect, toRequestBody } from "./openai/request-body.js";
import { type Chance, MAX_RETRIES, REAL_CHANCE, retryDelay } from "./openai/retry-policy.js";
import { Server, type ServerOptions } from "./openai/server.js";
import { eventsIn } from "./openai/sse.js";
import { WireNames } from "./openai/wire-names.js";

export { type ListModelsOptions, listModels } from "./openai/list-models.js";

export interface OpenAIModelOptions extends ServerOptions {
  /** As the server calls it, for example `gpt-5-mini`. */
  readonly model: string;
  /** Most tokens of one answer. Default: the server's own limit. */
  readonly maxTokens?: number | undefined;
  /** How often a call is tried again before its first word. Default: 3. */
  readonly maxRetries?: number | undefined;
  /** @internal Chance and time, for tests. */
  readonly chance?: Chance;
}

/**
 * A model behind chat.completions, OpenAI's own or a compatible server's, always streamed. It reads nothing from the
 * environment but `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.
 */
export class OpenAIModel implements Model {
  readonly name: string;
  readonly #server: Server;
  readonly #client: Client;
  readonly #maxTokens: number | undefined;
  readonly #maxRetries: number;
  readonly #chance: Chance;
  /** What the server turned out to understand, so that a refused request is not sent twice at every call. */
  #dialect: Dialect;

  /** @throws {AgnoChatError} `CONFIG_INVALID` for a base URL, `MODEL_AUTH` for a key that cannot be one */
  constructor(options: OpenAIModelOptions) {
    this.name = options.model;
    this.#server = new Server(options);
    this.#client = new Client(this.#server);
    this.#maxTokens = options.maxTokens;
    this.#maxRetries = options.maxRetries ?? MAX_RETRIES;
    this.#chance = options.chance ?? REAL_CHANCE;
    this.#dialect = firstDialect(this.#server.isOpenAI);
  }

  async *stream(
    request: ModelRequest,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<ModelEvent> {
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      let begun = false;
      try {
        for await (const event of this.#answer(request, signal)) {
          begun = true;
          yield event;
        }
        return;
      } catch (thrown) {
        signal.throwIfAborted();
        const { error, retry, retryAfterMs } = failureOf(thrown, {
          server: this.#server,
          model: this.name,
        });
        if (begun || !retry || attempt > this.#maxRetries) throw error;
        const delayMs = retryDelay(attempt, { retryAfterMs, random: this.#chance.random });
        yield { type: "retry", attempt, delayMs, reason: error.message };
        await this.#chance.sleep(delayMs, signal).catch(() => {});
      }
    }
  }

  /** One try: what it yields before the finish may be followed by a failure. */
  async *#answer(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    const names = new WireNames(request);
    const call = new Call(this.#server, signal);
    const answer = new Answer(request, { server: this.#server, names });
    try {
      const response = await this.#open(request, { call, names });
      yield* this.#read(response, { answer, call });
    } catch (thrown) {
      if (!answer.isComplete) throw call.causeOf(thrown);
    } finally {
      call.end();
    }
    signal.throwIfAborted();
    yield* answer.end();
  }

  async *#read(
    { body }: Response,
    { answer, call }: { answer: Answer; call: Call },
  ): AsyncGenerator<ModelEvent> {
    for await (const data of eventsIn(call.heard(body))) {
      if (answer.isComplete) continue; // only the end of the body is awaited, so that its connection can be kept
      if (data === "[DONE]") {
        answer.complete();
        call.expectEnd();
        continue;
      }
      const text = answer.take(parseChunk(data, this.#server));
      call.measure(answer.size);
      if (text !== "") yield { type: "text-delta", text };
    }
  }

  /** Asks again at once, in other words, when the server did not understand an argument. */
  async #open(
    request: ModelRequest,
    { call, names }: { call: Call; names: WireNames },
  ): Promise<Response> {
    let dialect = this.#dialect;
    for (;;) {
      const body = toRequestBody(request, {
        model: this.name,
        maxTokens: this.#maxTokens,
        dialect,
        names,
      });
      try {
        const response = await this.#client.complete(body, call);
        this.#dialect = dialect;
        return response;
      } catch (thrown) {
        if (!(thrown instanceof HttpFailure)) throw thrown;
        const other = otherDialect(dialect, { body, failure: thrown });
        if (other === undefined) throw thrown;
        dialect = other;
      }
    }
  }
}
