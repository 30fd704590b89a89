import type OpenAI from "openai";
import type { ApiCall } from "./api-call.js";
import type { ApiServer } from "./api-server.js";
import type { RequestBody } from "./request-body.js";

type Sdk = typeof import("openai");

/**
 * Calls the endpoints of one server. The only file that uses the `openai` package, which is loaded
 * with the first call, and so is Node's HTTP client.
 */
export class Client {
  readonly #server: ApiServer;
  #loading: Promise<{ sdk: Sdk; client: OpenAI }> | undefined;

  constructor(server: ApiServer) {
    this.#server = server;
  }

  /**
   * POST /chat/completions. We read the body ourselves: the SDK treats a cut or aborted stream as
   * complete, and prints events it cannot parse.
   */
  complete(body: RequestBody, { signal }: ApiCall): Promise<Response> {
    return this.#send((client) => client.chat.completions.create(body, { signal }).asResponse());
  }

  /** GET /models */
  models({ signal }: ApiCall): Promise<Response> {
    return this.#send((client) => client.models.list({ signal }).asResponse());
  }

  async #send(request: (client: OpenAI) => Promise<Response>): Promise<Response> {
    this.#loading ??= this.#load();
    const { sdk, client } = await this.#loading;
    try {
      return await request(client);
    } catch (thrown) {
      throw causeOf(thrown, sdk);
    }
  }

  async #load(): Promise<{ sdk: Sdk; client: OpenAI }> {
    const [sdk, { createFetch }] = await Promise.all([import("openai"), import("./http-fetch.js")]);
    const { apiKey, baseUrl } = this.#server;
    const client = new sdk.OpenAI({
      baseURL: baseUrl.href.replace(/\/$/, ""),
      // The SDK requires a key. Without one of ours, the header below is left out.
      apiKey: apiKey ?? "none",
      defaultHeaders: {
        Authorization: apiKey === undefined ? null : `Bearer ${apiKey}`,
        "User-Agent": "agno-chat",
      },
      fetch: createFetch(this.#server),
      maxRetries: 0,
      timeout: LONGEST_TIMER,
      // The SDK would read these from the environment.
      adminAPIKey: null,
      organization: null,
      project: null,
      webhookSecret: null,
      logLevel: "off",
    });
    return { sdk, client };
  }
}

const LONGEST_TIMER = 2 ** 31 - 1;

/** Unwraps what our `fetch` threw. The SDK drops the cause of a timeout. */
function causeOf(thrown: unknown, { APIConnectionTimeoutError, APIConnectionError }: Sdk): unknown {
  if (thrown instanceof APIConnectionTimeoutError)
    return Object.assign(new Error("connection timed out"), { code: "ETIMEDOUT" });
  return thrown instanceof APIConnectionError ? (thrown.cause ?? thrown) : thrown;
}
