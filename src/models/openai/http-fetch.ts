import http from "node:http";
import https from "node:https";
import { isIP, type Socket } from "node:net";
import { Readable } from "node:stream";
import tls from "node:tls";
import { proxyFor } from "./proxy.js";

/** An answer whose status is no success, with what its body says. */
export class HttpFailure extends Error {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;

  constructor(status: number, headers: Headers, body: string) {
    super(`HTTP ${status}`);
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

/** The proxy could not be reached, or would not connect. `host` is the proxy's. */
export class ProxyFailure extends Error {
  readonly host: string;

  constructor(host: string, cause: unknown) {
    super(`proxy ${host}`, { cause });
    this.host = host;
  }
}

/** The headers that are sent: not those that an SDK adds of its own, or finds in the environment. */
const SENT_HEADERS = ["accept", "authorization", "content-type", "user-agent"];

const LONGEST_ERROR_BODY = 64 * 1024;

const NO_BODY = new Set([204, 205, 304]);

/** What an SDK passes on: headers as `Headers`, a body as the text of JSON. */
type Init = Pick<RequestInit, "method" | "headers" | "body" | "signal">;

/**
 * A `fetch` over node:http, for an SDK. Node 20's own takes twice as long to start and knows no proxy. This one goes
 * through `HTTPS_PROXY` and `HTTP_PROXY`, gives up connecting after `connectTimeoutMs`, does not follow redirects (a key must not
 * travel to another host), and rejects with `HttpFailure` unless the status is 2xx.
 */
export function createFetch({ connectTimeoutMs }: { connectTimeoutMs: number }) {
  return async (url: string | URL | Request, init: Init = {}): Promise<Response> => {
    const connecting = new AbortController();
    const timer = setTimeout(() => connecting.abort(), connectTimeoutMs);
    const signal = AbortSignal.any([connecting.signal, ...(init.signal ? [init.signal] : [])]);
    try {
      const target = new URL(String(url));
      const proxy = proxyFor(target, process.env);
      const request = await openRequest(target, { ...init, signal, proxy });
      whenConnected(request, () => clearTimeout(timer));
      return await toResponse(await responseTo(request, { body: init.body, proxy }));
    } finally {
      clearTimeout(timer);
    }
  };
}

async function openRequest(
  target: URL,
  { signal, proxy, ...init }: Init & { signal: AbortSignal; proxy: URL | undefined },
): Promise<http.ClientRequest> {
  const options = { method: init.method ?? "GET", headers: headersOf(init), signal };
  if (proxy === undefined) return clientOf(target).request(target, options);
  if (target.protocol === "http:")
    return requestThrough(proxy, { ...options, path: target.href, host: target.host });
  const host = `${target.hostname}:${target.port || "443"}`;
  const connect = requestThrough(proxy, { method: "CONNECT", path: host, host, signal });
  const socket = await tunnel(connect, proxy);
  return https.request(target, {
    ...options,
    defaultPort: 443, // otherwise the agent's, and a socket of our own has no agent
    createConnection: () => secured(socket, target),
  });
}

function headersOf(init: Init): Record<string, string> {
  const headers = new Headers(init.headers);
  return Object.fromEntries(
    SENT_HEADERS.flatMap((name) => {
      const value = headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
}

const clientOf = ({ protocol }: URL) => (protocol === "https:" ? https : http);

interface OnwardOptions extends Pick<http.RequestOptions, "method" | "signal" | "path"> {
  readonly headers?: Readonly<Record<string, string>>;
  /** Where the proxy sends it on to. */
  readonly host: string;
}

/** A request to the proxy, whose path says where it goes on to (RFC 9110, 7.1 and 9.3.6). */
function requestThrough(proxy: URL, { host, headers, ...options }: OnwardOptions) {
  const credentials = [proxy.username, proxy.password].map(decodeURIComponent).join(":");
  const authorization = `Basic ${Buffer.from(credentials).toString("base64")}`;
  return clientOf(proxy).request({
    ...options,
    host: withoutBrackets(proxy.hostname),
    port: proxy.port,
    headers: {
      ...headers,
      host,
      ...(credentials !== ":" && { "proxy-authorization": authorization }),
    },
  });
}

/** The socket behind a CONNECT, once the proxy has opened it. */
function tunnel(connect: http.ClientRequest, proxy: URL): Promise<Socket> {
  return new Promise((resolve, reject) => {
    connect.on("error", (cause) => reject(new ProxyFailure(proxy.host, cause)));
    connect.once("connect", ({ statusCode }, socket: Socket) => {
      if (statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(new ProxyFailure(proxy.host, new Error(`HTTP ${statusCode}`)));
    });
    connect.end();
  });
}

/** What an embedder set on the global agent, such as a company's CA, holds behind a proxy too. */
function secured(socket: Socket, { hostname }: URL): tls.TLSSocket {
  const host = withoutBrackets(hostname);
  const { ca } = https.globalAgent.options;
  return tls.connect({ socket, host, servername: isIP(host) ? "" : host, ca });
}

const withoutBrackets = (hostname: string): string => hostname.replace(/^\[|\]$/g, "");

function whenConnected(request: http.ClientRequest, then: () => void): void {
  request.once("socket", (socket) => {
    if (request.reusedSocket) then();
    else socket.once(socket instanceof tls.TLSSocket ? "secureConnect" : "connect", then);
  });
}

function responseTo(
  request: http.ClientRequest,
  { body, proxy }: { body: unknown; proxy: URL | undefined },
): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on("error", (error: NodeJS.ErrnoException) => {
      const isUnreached = error.syscall === "connect" || error.syscall === "getaddrinfo";
      reject(proxy && isUnreached ? new ProxyFailure(proxy.host, error) : error);
    });
    request.once("response", resolve);
    request.end(body); // a body that is given whole gets its length as a header
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

/** As much of an error's body as came: a connection that breaks here must not hide the status. */
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
