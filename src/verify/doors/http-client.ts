import { once } from "node:events";
import { type IncomingMessage, request as openRequest, Agent as Sockets } from "node:http";
import { text } from "node:stream/consumers";

export interface HttpCall {
  readonly method: string;
  readonly path: string;
  readonly query?: readonly (readonly [name: string, value: string])[] | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** Takes the headers and the body, whatever the status is. */
  readonly onAnswer?: ((text: string) => void) | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/** So few that every connection carries requests of several users. */
export const CONNECTIONS = 3;

/** Sends everybody's requests over the same few connections, which stay open between them. */
export class HttpClient {
  readonly #url: string;
  readonly #sockets = new Sockets({
    ...{ keepAlive: true, maxSockets: CONNECTIONS, scheduling: "fifo" },
  });

  constructor(url: string) {
    this.#url = url;
  }

  async send({ method, path, query, headers, body, ...call }: HttpCall): Promise<HttpAnswer> {
    const { signal, onAnswer } = call;
    const content = body === undefined ? undefined : JSON.stringify(body);
    const request = openRequest(this.#url + path + searchOf(query), {
      ...{ method, agent: this.#sockets, signal },
      headers: { ...(content === undefined ? {} : typeOf(content)), ...headers },
    });
    request.end(content);
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const answer = { status: response.statusCode ?? 0, text: await text(response) };
    onAnswer?.([...response.rawHeaders, answer.text].join("\n"));
    return answer;
  }

  close(): void {
    this.#sockets.destroy();
  }
}

const typeOf = (content: string) => ({
  "content-type": "application/json",
  "content-length": String(Buffer.byteLength(content)),
});

function searchOf(query: HttpCall["query"] = []): string {
  if (query.length === 0) return "";
  return `?${new URLSearchParams(query.map(([...pair]) => pair))}`;
}
