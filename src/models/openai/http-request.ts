import http from "node:http";
import https from "node:https";
import { isIP, type Socket } from "node:net";
import tls from "node:tls";

/** The proxy could not be reached, or would not connect. `host` is the proxy's. */
export class ProxyFailure extends Error {
  readonly host: string;

  constructor(host: string, cause: unknown) {
    super(`proxy ${host}`, { cause });
    this.host = host;
  }
}

/** A connection that was kept for reuse had been closed in the meantime: nothing of an answer came. */
export class StaleConnection extends Error {}

/** The headers that are sent: not those that an SDK adds of its own, or finds in the environment. */
const SENT_HEADERS = ["accept", "authorization", "content-type", "user-agent"];

/** What an SDK passes on: headers as `Headers`, a body as the text of JSON. */
export type Init = Pick<RequestInit, "method" | "headers" | "body" | "signal">;

interface OpenOptions extends Init {
  readonly signal: AbortSignal;
  readonly proxy: URL | undefined;
  /** Use no connection that was kept from an earlier request. */
  readonly isNew: boolean;
}

/** A request whose body is still to be sent. @throws {ProxyFailure | StaleConnection} */
export async function openRequest(
  target: URL,
  { signal, proxy, isNew, ...init }: OpenOptions,
): Promise<http.ClientRequest> {
  const agent = isNew ? unsharedAgent(proxy ?? target) : undefined;
  const options = { method: init.method ?? "GET", headers: headersOf(init), signal, agent };
  if (proxy === undefined) return clientOf(target).request(target, options);
  if (target.protocol === "http:")
    return requestThrough(proxy, { ...options, path: target.href, host: target.host });
  const host = `${target.hostname}:${target.port || "443"}`;
  const connect = requestThrough(proxy, { method: "CONNECT", path: host, host, signal, agent });
  const socket = await tunnel(connect, proxy);
  return https.request(target, {
    ...options,
    agent: undefined,
    defaultPort: 443, // otherwise the agent's, and a socket of our own has no agent
    createConnection: () => secured(socket, target),
  });
}

/** Opens a connection for one request, with what an embedder set on the global agent. */
const unsharedAgent = ({ protocol }: URL): http.Agent =>
  protocol === "https:"
    ? new https.Agent({ ...https.globalAgent.options, keepAlive: false })
    : new http.Agent({ keepAlive: false });

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

interface OnwardOptions extends Pick<http.RequestOptions, "method" | "signal" | "path" | "agent"> {
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
    const isStale = staleness(connect);
    connect.on("error", (cause) =>
      reject(isStale(cause) ? new StaleConnection() : new ProxyFailure(proxy.host, cause)),
    );
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

/** Calls `then` once the connection stands: at once for one that was kept. */
export function whenConnected(request: http.ClientRequest, then: () => void): void {
  request.once("socket", (socket) => {
    if (request.reusedSocket) then();
    else socket.once(socket instanceof tls.TLSSocket ? "secureConnect" : "connect", then);
  });
}

/** Tells of a failed request whether its connection was a kept one that had ended before a byte of the answer. */
export function staleness(request: http.ClientRequest): (error: NodeJS.ErrnoException) => boolean {
  let earlier = 0;
  request.once("socket", (socket) => {
    earlier = socket.bytesRead;
  });
  return ({ code = "" }) =>
    request.reusedSocket && ENDED.test(code) && request.socket?.bytesRead === earlier;
}

const ENDED = /^(ECONNRESET|ECONNABORTED|EPIPE)$/;
