import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import type { Model, ModelEvent, ModelRequest } from "./model.js";
import { AnswerBuilder } from "./openai/answer.js";
import { ApiCall } from "./openai/api-call.js";
import { API_SERVER_KEYS, ApiServer, type ApiServerOptions } from "./openai/api-server.js";
import { Client } from "./openai/client.js";
import { HttpFailure } from "./openai/http-errors.js";
import { parseChunk } from "./openai/parse-chunk.js";
import { type Dialect, firstDialect, otherDialect, toRequestBody } from "./openai/request-body.js";
import { MAX_RETRIES, REAL_TIMING, type RetryTiming, retryDelay } from "./openai/retry-policy.js";
import { eventsIn } from "./openai/sse.js";
import { failureOf } from "./openai/to-call-failure.js";
import { WireNames } from "./openai/wire-names.js";

export { type ListModelsOptions, listModels } from "./openai/list-models.js";

export interface OpenAIModelOptions extends ApiServerOptions {
  /** The model's name on the server, for example `gpt-5-mini`. */
  readonly model: string;
  /** The most tokens in one answer. Default: the server's own limit. */
  readonly maxTokens?: number | undefined;
  /** How often a call that failed before its first word is retried. Default: 3. */
  readonly maxRetries?: number | undefined;
  /** @internal For tests. */
  readonly timing?: RetryTiming;
}

const KEYS: KnownKeys<OpenAIModelOptions> = {
  ...API_SERVER_KEYS,
  model: true,
  maxTokens: true,
  maxRetries: true,
  timing: true,
};

/**
 * A model served by OpenAI or a compatible server through chat.completions, always streamed. From
 * the environment it reads only `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.
 * @example
 * const model = new OpenAIModel({ model: "qwen3", baseUrl: "http://localhost:11434/v1" });
 * const agent = new Agent({ model });
 * const { content, usage } = await agent.run("Say hello.", { userId: "alice" });
 */
export class OpenAIModel implements Model {
  readonly name: string;
  readonly #server: ApiServer;
  readonly #client: Client;
  readonly #maxTokens: number | undefined;
  readonly #maxRetries: number;
  readonly #timing: RetryTiming;
  /** What the server was found to support, so that it refuses a parameter only once. */
  #dialect: Dialect;

  /**
   * @throws {AgnoChatError} `CONFIG_INVALID` for an invalid base URL, `MODEL_AUTH` for an invalid
   *   key, `USAGE` for an unknown option
   */
  constructor(options: OpenAIModelOptions) {
    refuseUnknownKeys(options, KEYS, "OpenAIModel");
    this.name = options.model;
    this.#server = new ApiServer(options);
    this.#client = new Client(this.#server);
    this.#maxTokens = options.maxTokens;
    this.#maxRetries = options.maxRetries ?? MAX_RETRIES;
    this.#timing = options.timing ?? REAL_TIMING;
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
        const delayMs = retryDelay(attempt, { retryAfterMs, random: this.#timing.random });
        yield { type: "retry", attempt, delayMs, reason: error.message };
        await this.#timing.sleep(delayMs, signal).catch(() => {});
      }
    }
  }

  /** Makes one attempt. It may fail after some events have been yielded. */
  async *#answer(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    const names = new WireNames(request);
    const call = new ApiCall(this.#server, signal);
    const answer = new AnswerBuilder(request, { server: this.#server, names });
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
    { answer, call }: { answer: AnswerBuilder; call: ApiCall },
  ): AsyncGenerator<ModelEvent> {
    for await (const data of eventsIn(call.withIdleTimeout(body))) {
      if (answer.isComplete) continue; // read to the end, so that the connection can be reused
      if (data === "[DONE]") {
        answer.complete();
        call.expectEnd();
        continue;
      }
      const text = answer.add(parseChunk(data, this.#server));
      call.noteSize(answer.size);
      if (text !== "") yield { type: "text-delta", text };
    }
  }

  /** Retries at once in another dialect when the server does not support a parameter. */
  async #open(
    request: ModelRequest,
    { call, names }: { call: ApiCall; names: WireNames },
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
