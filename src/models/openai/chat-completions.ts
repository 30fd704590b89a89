import type { ModelEvent, ModelRequest } from "../model.js";
import { AnswerBuilder } from "./answer.js";
import { ApiCall } from "./api-call.js";
import type { ApiServer } from "./api-server.js";
import { Client } from "./client.js";
import { HttpFailure } from "./http-errors.js";
import { parseChunk } from "./parse-chunk.js";
import {
  type Dialect,
  firstDialect,
  lasting,
  otherDialect,
  toRequestBody,
} from "./request-body.js";
import { MAX_RETRIES, REAL_TIMING, type RetryTiming, retryDelay } from "./retry-policy.js";
import { eventsIn } from "./sse.js";
import { failureOf } from "./to-call-failure.js";
import { WireNames } from "./wire-names.js";

export interface ChatOptions {
  readonly model: string;
  readonly maxTokens?: number | undefined;
  readonly maxRetries?: number | undefined;
  readonly timing?: RetryTiming | undefined;
}

/** The chat.completions of one model on one server. */
export class ChatCompletions {
  readonly #model: string;
  readonly #server: ApiServer;
  readonly #client: Client;
  readonly #maxTokens: number | undefined;
  readonly #maxRetries: number;
  readonly #timing: RetryTiming;
  /** What the server was found to support, so that it refuses a parameter only once. */
  #dialect: Dialect;

  constructor(server: ApiServer, options: ChatOptions) {
    this.#model = options.model;
    this.#server = server;
    this.#client = new Client(server);
    this.#maxTokens = options.maxTokens;
    this.#maxRetries = options.maxRetries ?? MAX_RETRIES;
    this.#timing = options.timing ?? REAL_TIMING;
    this.#dialect = firstDialect(server.isOpenAI);
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
          model: this.#model,
          hasPictures: request.pictures !== undefined,
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
        model: this.#model,
        maxTokens: this.#maxTokens,
        dialect,
        names,
      });
      try {
        const response = await this.#client.complete(body, call);
        this.#dialect = lasting(dialect);
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
