import type OpenAI from "openai";
import type { Call } from "./call.js";
import { createFetch } from "./http-fetch.js";
import type { RequestBody } from "./request-body.js";
import type { Server } from "./server.js";

type Sdk = typeof import("openai");

/** The endpoints of one server that a chat needs. The only reader of the `openai` package, which is loaded at the first call. */
export class Client {
  readonly #server: Server;
  #loading: Promise<{ sdk: Sdk; client: OpenAI }> | undefined;

  constructor(server: Server) {
    this.#server = server;
  }

  /**
   * POST /chat/completions. The body is read by us and not by the SDK, which ends a cut or aborted stream as if it were
   * whole, and prints events it cannot parse.
   */
  complete(body: RequestBody, { signal }: Call): Promise<Response> {
    return this.#send((client) => client.chat.completions.create(body, { signal }).asResponse());
  }

  /** GET /models */
  models({ signal }: Call): Promise<Response> {
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
    const sdk = await import("openai");
    const { apiKey, baseUrl } = this.#server;
    const client = new sdk.OpenAI({
      baseURL: baseUrl.href.replace(/\/$/, ""),
      // The SDK insists on a key. Without one of ours nothing is sent.
      apiKey: apiKey ?? "none",
      defaultHeaders: {
        Authorization: apiKey === undefined ? null : `Bearer ${apiKey}`,
        "User-Agent": "agno-chat",
      },
      fetch: createFetch(this.#server),
      maxRetries: 0,
      timeout: LONGEST_TIMER,
      // What is left out here, the SDK takes from the environment.
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

/** What our `fetch` threw. The SDK wraps it, and of a timeout it keeps nothing but the fact. */
function causeOf(thrown: unknown, { APIConnectionTimeoutError, APIConnectionError }: Sdk): unknown {
  if (thrown instanceof APIConnectionTimeoutError)
    return Object.assign(new Error("connection timed out"), { code: "ETIMEDOUT" });
  return thrown instanceof APIConnectionError ? (thrown.cause ?? thrown) : thrown;
}
