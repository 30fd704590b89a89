import type http from "node:http";
import { Readable } from "node:stream";
import { HttpFailure, ProxyFailure, StaleConnection } from "./http-errors.js";
import { type Init, openRequest, watchForStaleness, whenConnected } from "./http-request.js";
import { proxyFor } from "./proxy.js";

const LONGEST_ERROR_BODY = 64 * 1024;

const NO_BODY = new Set([204, 205, 304]);

/**
 * Creates a `fetch` over node:http for the SDK; Node 20's own takes twice as long to start and
 * ignores proxies. This one uses `HTTPS_PROXY` and `HTTP_PROXY`, gives up connecting after
 * `connectTimeoutMs`, does not follow redirects (a key must not travel to another host), and
 * rejects with `HttpFailure` unless the status is 2xx. If the server closes a kept connection just
 * as a request goes out, that request is sent once more on a new connection.
 */
export function createFetch({ connectTimeoutMs }: { connectTimeoutMs: number }) {
  return async (url: string | URL | Request, init: Init = {}): Promise<Response> => {
    const target = new URL(String(url));
    try {
      return await send(target, { ...init, connectTimeoutMs, isNew: false });
    } catch (thrown) {
      if (!(thrown instanceof StaleConnection)) throw thrown;
      return send(target, { ...init, connectTimeoutMs, isNew: true });
    }
  };
}

interface SendOptions extends Init {
  readonly connectTimeoutMs: number;
  /** Open a new connection instead of reusing one. */
  readonly isNew: boolean;
}

async function send(target: URL, { connectTimeoutMs, ...init }: SendOptions): Promise<Response> {
  const connecting = new AbortController();
  const timer = setTimeout(() => connecting.abort(), connectTimeoutMs);
  const signal = AbortSignal.any([connecting.signal, ...(init.signal ? [init.signal] : [])]);
  try {
    const proxy = proxyFor(target, process.env);
    const request = await openRequest(target, { ...init, signal, proxy });
    whenConnected(request, () => clearTimeout(timer));
    return await toResponse(await responseTo(request, { body: init.body, proxy }));
  } finally {
    clearTimeout(timer);
  }
}

function responseTo(
  request: http.ClientRequest,
  { body, proxy }: { body: unknown; proxy: URL | undefined },
): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const isStale = watchForStaleness(request);
    request.on("error", (error: NodeJS.ErrnoException) => {
      if (isStale(error)) return reject(new StaleConnection());
      const isUnreached = error.syscall === "connect" || error.syscall === "getaddrinfo";
      reject(proxy && isUnreached ? new ProxyFailure(proxy.host, error) : error);
    });
    request.once("response", resolve);
    request.end(body); // a body given whole is sent with its length
  });
}

async function toResponse(incoming: http.IncomingMessage): Promise<Response> {
  const status = incoming.statusCode ?? 0;
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) headers.set(name, `${value}`);
  if (status < 200 || status > 299) throw new HttpFailure(status, headers, await startOf(incoming));
  if (NO_BODY.has(status)) return new Response(null, { status, headers });
  return new Response(Readable.toWeb(incoming) as ReadableStream, { status, headers });
}

/**
 * Reads as much of an error's body as arrives: a connection that breaks here must not hide the
 * status.
 */
async function startOf(incoming: http.IncomingMessage): Promise<string> {
  let text = "";
  try {
    for await (const piece of incoming.setEncoding("utf8")) {
      text += piece;
      if (text.length > LONGEST_ERROR_BODY) break;
    }
  } catch {}
  return text;
}
