import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import type { Model, ModelEvent, ModelRequest } from "./model.js";
import { API_SERVER_KEYS, ApiServer, type ApiServerOptions } from "./openai/api-server.js";
import type { ChatCompletions } from "./openai/chat-completions.js";
import type { ListModelsOptions } from "./openai/list-models.js";
import type { RetryTiming } from "./openai/retry-policy.js";

export type { ListModelsOptions } from "./openai/list-models.js";

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
  readonly #options: OpenAIModelOptions;
  /** Loaded with the first call, so that importing the library does not load it. */
  #completions: Promise<ChatCompletions> | undefined;

  /**
   * @throws {AgnoChatError} `CONFIG_INVALID` for an invalid base URL, `MODEL_AUTH` for an invalid
   *   key, `USAGE` for an unknown option
   */
  constructor(options: OpenAIModelOptions) {
    refuseUnknownKeys(options, KEYS, "OpenAIModel");
    this.name = options.model;
    this.#server = new ApiServer(options);
    this.#options = { ...options };
  }

  async *stream(
    request: ModelRequest,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<ModelEvent> {
    this.#completions ??= this.#load();
    yield* (await this.#completions).stream(request, { signal });
  }

  async #load(): Promise<ChatCompletions> {
    const { ChatCompletions } = await import("./openai/chat-completions.js");
    return new ChatCompletions(this.#server, this.#options);
  }
}

/**
 * Returns the names of the models that a server offers, in the server's order. Retries a server
 * that is busy or still loading its model, with the same waits as for an answer.
 * @example
 * const signal = AbortSignal.timeout(10_000);
 * const names = await listModels({ baseUrl: "http://localhost:11434/v1", signal });
 * @throws {AgnoChatError} with the same codes as `OpenAIModel`
 */
export async function listModels(options: ListModelsOptions): Promise<string[]> {
  const { requestModels } = await import("./openai/list-models.js");
  return requestModels(options);
}
