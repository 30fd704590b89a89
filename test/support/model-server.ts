import { EventEmitter, once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";

/** One request of a client. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  /** The parsed JSON; undefined without a body. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read any field of it
  readonly body: any;
}

/** Answers one request. */
export type Reply = (
  response: http.ServerResponse,
  request: ReceivedRequest,
) => void | Promise<void>;

/**
 * A real HTTP server on loopback that answers POST …/chat/completions with scripted replies: each
 * once, in order, and the last one for every further request. GET …/models lists `models`, or is
 * answered by that reply. The functions below create replies.
 *
 *     const server = await ModelServer.start(streamedText("Hello"));
 *     … baseUrl: server.url …
 *     await server.close();
 */
export class ModelServer {
  /** Every request except GET …/models, in order of arrival. */
  readonly requests: ReceivedRequest[] = [];
  /** TCP connections accepted so far. */
  connections = 0;
  readonly #http: http.Server;
  readonly #events = new EventEmitter();
  readonly #models: Reply;
  #replies: Reply[];
  #hangUps = 0;

  private constructor(replies: Reply[], models: Reply) {
    this.#replies = replies;
    this.#models = models;
    this.#http = http.createServer((request, response) => void this.#serve(request, response));
    this.#http.on("connection", () => {
      this.connections += 1;
    });
  }

  static async start(
    replies: Reply | readonly Reply[] = streamedText("ok"),
    { models = ["test-model"] }: { models?: readonly string[] | Reply } = {},
  ): Promise<ModelServer> {
    const server = new ModelServer(
      [replies].flat() as Reply[],
      typeof models === "function" ? models : listOf(models),
    );
    server.#http.listen(0, "127.0.0.1");
    await once(server.#http, "listening");
    return server;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  /** The base URL, which ends in /v1. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/v1`;
  }

  /** Replaces the remaining replies. */
  reply(...replies: Reply[]): void {
    this.#replies = replies;
  }

  /** Waits for the next request. Earlier ones are in `requests`. */
  async nextRequest(): Promise<ReceivedRequest> {
    const [request] = await once(this.#events, "request");
    return request;
  }

  /** Resolves when a client closes its connection before its answer is complete. */
  async hungUp(): Promise<void> {
    if (this.#hangUps === 0) await once(this.#events, "hang-up");
  }

  async close(): Promise<void> {
    const closed = once(this.#http, "close");
    this.#http.close();
    this.#http.closeAllConnections();
    await closed;
  }

  async #serve(incoming: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const request = await received(incoming);
    if (request === undefined) return;
    response.once("close", () => {
      if (response.writableEnded) return;
      this.#hangUps += 1;
      this.#events.emit("hang-up");
    });
    const reply = this.#replyTo(request);
    this.#events.emit("request", request);
    await reply(response, request);
  }

  #replyTo(request: ReceivedRequest): Reply {
    if (request.method === "GET" && request.url.endsWith("/models")) return this.#models;
    this.requests.push(request);
    const next = this.#replies.length > 1 ? this.#replies.shift() : this.#replies[0];
    return next ?? status(500, "no reply was scripted");
  }
}

const listOf = (models: readonly string[]): Reply =>
  status(200, { object: "list", data: models.map((id) => ({ id })) });

async function received(incoming: http.IncomingMessage): Promise<ReceivedRequest | undefined> {
  const { method = "", url = "", headers } = incoming;
  try {
    let text = "";
    for await (const piece of incoming.setEncoding("utf8")) text += piece;
    return { method, url, headers, body: text === "" ? undefined : JSON.parse(text) };
  } catch {
    return undefined; // the client closed its connection before it had sent everything
  }
}

/** One chunk of chat.completions with this delta. */
export const chunk = (delta: object, finishReason: string | null = null): object => ({
  id: "chatcmpl-test",
  object: "chat.completion.chunk",
  created: 1,
  model: "test-model",
  choices: [{ index: 0, delta, finish_reason: finishReason }],
});

export const event = (data: unknown): string =>
  `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;

const SSE = { "content-type": "text/event-stream" };

/** Sends these bytes at once, or in TCP segments of `pieceSize` bytes. */
export function recorded(
  raw: string,
  { pieceSize = Infinity, headers = SSE }: { pieceSize?: number; headers?: object } = {},
): Reply {
  return async (response) => {
    response.writeHead(200, { ...headers });
    response.socket?.setNoDelay(true);
    const bytes = Buffer.from(raw);
    for (let start = 0; start < bytes.length; start += pieceSize) {
      const piece = bytes.subarray(start, Math.min(start + pieceSize, bytes.length));
      await new Promise((written) => response.write(piece, written));
    }
    response.end();
  };
}

/** Sends these events, then `[DONE]`. */
export const streamed = (...chunks: readonly unknown[]): Reply =>
  recorded([...chunks, "[DONE]"].map(event).join(""));

/** Sends a complete answer, one chunk per word. */
export const streamedText = (text: string): Reply =>
  streamed(
    chunk({ role: "assistant", content: "" }),
    ...(text.match(/\s*\S+\s*/g) ?? []).map((content) => chunk({ content })),
    chunk({}, "stop"),
  );

/** Sends a complete answer that calls tools. */
export const streamedCalls = (
  ...calls: readonly { id?: string; name: string; arguments?: unknown }[]
): Reply =>
  streamed(
    ...calls.map(({ id, name, arguments: args = {} }, index) =>
      chunk({
        tool_calls: [
          {
            index,
            id: id ?? `call_${index}`,
            type: "function",
            function: { name, arguments: typeof args === "string" ? args : JSON.stringify(args) },
          },
        ],
      }),
    ),
    chunk({}, "tool_calls"),
  );

/** Sends a status with a JSON or text body. */
export const status =
  (code: number, body: string | object = "", headers: object = {}): Reply =>
  (response) => {
    const type = typeof body === "string" ? "text/plain" : "application/json";
    response.writeHead(code, { "content-type": type, ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };

/** Accepts the request and never answers. */
export const silence = (): Reply => () => {};

/** Sends these events, then nothing more, and keeps the response open. */
export const stalled =
  (...events: readonly unknown[]): Reply =>
  (response) => {
    response.writeHead(200, SSE);
    response.flushHeaders();
    response.write(events.map(event).join(""));
  };

/** Closes the socket without an answer. */
export const dropped = (): Reply => (response) => {
  response.socket?.destroy();
};

/** Sends these events, then closes the socket. */
export const cut =
  (...events: readonly unknown[]): Reply =>
  async (response) => {
    response.writeHead(200, SSE);
    response.flushHeaders();
    await new Promise((written) => response.write(events.map(event).join(""), written));
    response.socket?.destroy();
  };
