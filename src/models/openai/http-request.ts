import http from "node:http";
import https from "node:https";
import { isIP, type Socket } from "node:net";
import tls from "node:tls";
import { ProxyFailure, StaleConnection } from "./http-errors.js";

/** The headers we send. The SDK adds others, some of them from the environment. */
const SENT_HEADERS = ["accept", "authorization", "content-type", "user-agent"];

/** What the SDK passes to `fetch`: headers as `Headers`, a body as JSON text. */
export type Init = Pick<RequestInit, "method" | "headers" | "body" | "signal">;

interface OpenOptions extends Init {
  readonly signal: AbortSignal;
  readonly proxy: URL | undefined;
  /** Open a new connection instead of reusing one. */
  readonly isNew: boolean;
}

/**
 * Opens a request. The caller still has to send its body.
 * @throws {ProxyFailure | StaleConnection}
 */
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
    defaultPort: 443, // the agent would supply it, but our own socket has no agent
    createConnection: () => secureSocket(socket, target),
  });
}

/** An agent for one connection, with the options an embedder set on the global agent. */
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
  /** The host that the proxy forwards the request to. */
  readonly host: string;
}

/** Opens a request to the proxy; its path names the target (RFC 9110, 7.1 and 9.3.6). */
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

/** Resolves with the tunnelled socket once the proxy has answered CONNECT. */
function tunnel(connect: http.ClientRequest, proxy: URL): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const isStale = watchForStaleness(connect);
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

/** The CA an embedder set on the global agent, such as a company's, applies behind a proxy too. */
function secureSocket(socket: Socket, { hostname }: URL): tls.TLSSocket {
  const host = withoutBrackets(hostname);
  const { ca } = https.globalAgent.options;
  return tls.connect({ socket, host, servername: isIP(host) ? "" : host, ca });
}

const withoutBrackets = (hostname: string): string => hostname.replace(/^\[|\]$/g, "");

/** Calls `then` once the connection is open: at once for a reused one. */
export function whenConnected(request: http.ClientRequest, then: () => void): void {
  request.once("socket", (socket) => {
    if (request.reusedSocket) then();
    else socket.once(socket instanceof tls.TLSSocket ? "secureConnect" : "connect", then);
  });
}

/**
 * Returns a test for a failed request: was its reused connection closed before any byte of the
 * answer?
 */
export function watchForStaleness(
  request: http.ClientRequest,
): (error: NodeJS.ErrnoException) => boolean {
  let earlier = 0;
  request.once("socket", (socket) => {
    earlier = socket.bytesRead;
  });
  return ({ code = "" }) =>
    request.reusedSocket && ENDED.test(code) && request.socket?.bytesRead === earlier;
}

const ENDED = /^(ECONNRESET|ECONNABORTED|EPIPE)$/;
