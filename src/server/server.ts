import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { Agent } from "../agent/agent.js";
import { AgnoChatError } from "../errors.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import { type AccessOptions, admit, isLoopback } from "./access.js";
import { BodyReader } from "./body.js";
import { InFlight } from "./in-flight.js";
import { methodNotAllowed, sendFailure } from "./reply.js";
import { RequestContext } from "./request-context.js";
import { logLine } from "./request-log.js";
import { type Route, type Routes, routesOf } from "./routes.js";
import { TrustedProxies } from "./trusted-proxies.js";

export interface ServerOptions extends AccessOptions {
  readonly agent: Agent;
  /** The server's public URL, for the agent card. Default: the one a request was sent to. */
  readonly publicUrl?: string;
  /**
   * Addresses of proxies, or networks such as `10.0.0.0/8`. X-Forwarded-For and X-Forwarded-Proto
   * are trusted from these only. Default: none.
   */
  readonly trustedProxies?: readonly string[];
  /** Receives one line of JSON per finished request, without texts and ids. Default: no log. */
  readonly log?: (line: string) => void;
  readonly timeouts?: Timeouts;
}

const SERVER_KEYS: KnownKeys<ServerOptions> = {
  agent: true,
  authenticate: true,
  allowAnonymous: true,
  allowedHosts: true,
  publicUrl: true,
  trustedProxies: true,
  log: true,
  timeouts: true,
};

/** In milliseconds. */
export interface Timeouts {
  /** For a request's header to arrive. Default: 10 000. */
  readonly header?: number;
  /** For a request's body to arrive after the header. Default: 30 000. */
  readonly body?: number;
  /**
   * For the next request on a connection. Must be longer than that of a proxy in front.
   * Default: 65 000.
   */
  readonly keepAlive?: number;
  /** For a whole answer of the agent. Default: no limit. */
  readonly reply?: number;
  /** For a client to read some more of its answer. Default: 30 000. */
  readonly reader?: number;
  /** For current requests to end on their own once the server closes. Default: 10 000. */
  readonly drain?: number;
}

const TIMEOUT_KEYS: KnownKeys<Timeouts> = {
  header: true,
  body: true,
  keepAlive: true,
  reply: true,
  reader: true,
  drain: true,
};

export interface ListenOptions {
  /** Default: `127.0.0.1`. */
  readonly host?: string;
  /** 0 means any free port. Default: 8080. */
  readonly port?: number;
}

const LISTEN_KEYS: KnownKeys<ListenOptions> = { host: true, port: true };

const MOST_IN_FLIGHT = 20_000;

/** Milliseconds for clients to receive the answers of aborted requests. */
const TAIL = 1000;

/**
 * One agent over HTTP and A2A: `POST /chat`, `GET` and `DELETE /history`, `GET /size`, `/export`,
 * `/healthz`, `/readyz`, `/.well-known/agent-card.json` and `POST /a2a`.
 * @example
 * import { createServer as createHttpServer } from "node:http";
 *
 * const chat = createServer({ agent: new Agent({ model: new DemoModel() }) });
 * const http = createHttpServer(chat.handler).listen(4100, "127.0.0.1");
 * const response = await fetch("http://127.0.0.1:4100/healthz");
 * console.log(response.status); // 200
 * await chat.close();
 * http.close();
 */
export class ChatServer {
  readonly #options: ServerOptions;
  readonly #timeouts: Required<Timeouts>;
  readonly #proxies: TrustedProxies;
  readonly #routes: Routes;
  readonly #inFlight = new InFlight();
  #http: HttpServer | undefined;
  #closing: Promise<void> | undefined;
  #closeNow!: () => void;
  readonly #closedNow = new Promise<void>((resolve) => {
    this.#closeNow = resolve;
  });

  /** @internal Use `createServer`. */
  constructor(options: ServerOptions) {
    refuseUnknownKeys(options, SERVER_KEYS, "createServer");
    const { agent, publicUrl, trustedProxies = [], timeouts = {} } = options;
    refuseUnknownKeys(timeouts, TIMEOUT_KEYS, "timeouts");
    this.#options = { ...options, allowedHosts: hostsOf(options) };
    this.#proxies = new TrustedProxies(trustedProxies);
    this.#timeouts = {
      header: 10_000,
      body: 30_000,
      keepAlive: 65_000,
      reply: Infinity,
      reader: 30_000,
      drain: 10_000,
      ...timeouts,
    };
    this.#routes = routesOf({
      agent,
      publicUrl,
      proxies: this.#proxies,
      bodies: new BodyReader(),
      writeTimeoutMs: this.#timeouts.reader,
    });
  }

  /**
   * Answers one request. Works wherever Node's `(request, response)` handlers do. Never throws.
   */
  readonly handler = (request: IncomingMessage, response: ServerResponse): void => {
    const context = new RequestContext(request, response);
    this.#inFlight.enter(context);
    void this.#answer(context);
  };

  /**
   * Starts its own HTTP server.
   * @returns its URL, for example `http://127.0.0.1:8080`
   * @throws {AgnoChatError} `ADDRESS_IN_USE`; `USAGE` if it cannot listen on the address, if other
   *   machines could reach it anonymously, or for an unknown option
   */
  async listen(options: ListenOptions = {}): Promise<string> {
    refuseUnknownKeys(options, LISTEN_KEYS, "listen");
    const { host = "127.0.0.1", port = 8080 } = options;
    const { authenticate, allowAnonymous } = this.#options;
    if (authenticate === undefined && !allowAnonymous && !isLoopback(host)) throw exposed(host);
    const { header, body, keepAlive } = this.#timeouts;
    const http = createHttpServer(
      {
        headersTimeout: header,
        requestTimeout: header + body,
        keepAliveTimeout: keepAlive,
        connectionsCheckingInterval: Math.min(header, body, 1000),
      },
      this.handler,
    );
    await bind(http, host, port);
    this.#http = http;
    const { address, port: bound, family } = http.address() as AddressInfo;
    return `http://${family === "IPv6" ? `[${address}]` : address}:${bound}`;
  }

  /**
   * Refuses new requests, lets current ones end on their own for `timeouts.drain`, then aborts
   * them. What was answered is stored. `now` aborts at once, even while an earlier call waits.
   */
  async close(options: { readonly now?: boolean } = {}): Promise<void> {
    refuseUnknownKeys(options, { now: true }, "close");
    this.#closing ??= this.#close();
    if (options.now) this.#closeNow();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      if (this.#http === undefined) resolve();
      else this.#http.close(() => resolve());
    });
    this.#inFlight.stopKeepAlive();
    const idle = this.#inFlight.idle();
    await firstOf([idle, this.#closedNow], this.#timeouts.drain);
    this.#inFlight.abort(new AgnoChatError("SHUTTING_DOWN", "The server is shutting down."));
    await firstOf([idle], TAIL);
    this.#http?.closeAllConnections();
    await closed;
  }

  async #answer(context: RequestContext): Promise<void> {
    const started = performance.now();
    const route = this.#routes.get(context.path);
    const clear = this.#limit(context);
    try {
      await this.#dispatch(context, route);
    } catch (thrown) {
      fail(context, thrown);
    } finally {
      clear();
    }
    const { request, response } = context;
    if (request.socket.writableNeedDrain) response.setTimeout(this.#timeouts.reader);
    await context.closed;
    this.#inFlight.leave(context);
    const path = route === undefined ? "other" : context.path;
    this.#options.log?.(logLine(context, { path, ms: performance.now() - started }));
  }

  async #dispatch(context: RequestContext, route: Route | undefined): Promise<void> {
    context.signal.throwIfAborted();
    this.#refuseTooMany(context);
    if (!route?.open) context.caller = await admit(context, this.#options, this.#proxies);
    if (route === undefined)
      throw new AgnoChatError("NOT_FOUND", "There is nothing at this path.", {
        hint: "POST /chat talks to the agent.",
      });
    const { method = "" } = context.request;
    // Node drops the body of an answer to HEAD.
    const answer = route.methods[method === "HEAD" ? "GET" : method];
    if (answer === undefined) methodNotAllowed(context, allowedBy(route));
    await answer(context);
  }

  #limit(context: RequestContext): () => void {
    const { reply } = this.#timeouts;
    if (reply === Infinity) return () => {};
    const timer = setTimeout(() => context.abort(tooSlow(reply)), reply);
    return () => clearTimeout(timer);
  }

  #refuseTooMany({ response }: RequestContext): void {
    if (this.#closing !== undefined) {
      response.shouldKeepAlive = false;
      throw new AgnoChatError("SHUTTING_DOWN", "The server is shutting down.");
    }
    if (this.#inFlight.size > MOST_IN_FLIGHT)
      throw new AgnoChatError("BUSY", "Too many requests at once.", { hint: "Try again." });
  }
}

/**
 * Serves an agent over HTTP and A2A. Nothing is opened before `listen`.
 * @example
 * const chat = createServer({ agent: new Agent({ model: new DemoModel() }) });
 * const url = await chat.listen({ port: 0 });
 * const response = await fetch(`${url}/chat`, {
 *   method: "POST",
 *   headers: { "Content-Type": "application/json" },
 *   body: JSON.stringify({ user_id: "alice", message: "Thanks" }),
 * });
 * const { reply } = (await response.json()) as { reply: string };
 * console.log(reply); // You're welcome!
 * await chat.close();
 * @throws {AgnoChatError} `USAGE` for an invalid URL, proxy address or unknown option
 */
export const createServer = (options: ServerOptions): ChatServer => new ChatServer(options);

const allowedBy = ({ methods }: Route): string =>
  Object.keys(methods)
    .flatMap((method) => (method === "GET" ? [method, "HEAD"] : method))
    .join(", ");

/**
 * The allowed hosts. An anonymous server also allows its public host.
 * @throws {AgnoChatError} `USAGE` for an invalid URL
 */
function hostsOf({ publicUrl, allowAnonymous, allowedHosts = [] }: ServerOptions): string[] {
  if (publicUrl === undefined) return [...allowedHosts];
  const url = URL.canParse(publicUrl) ? new URL(publicUrl) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new AgnoChatError("USAGE", `The public URL ${JSON.stringify(publicUrl)} is not valid.`, {
      hint: "Use an http or https URL, such as https://chat.example.",
    });
  return allowAnonymous ? [...allowedHosts, url.hostname] : [...allowedHosts];
}

function fail(context: RequestContext, thrown: unknown): void {
  const { response } = context;
  context.fail(thrown);
  if (response.headersSent || response.destroyed) context.cut();
  else sendFailure(context, thrown);
}

async function firstOf(promises: readonly Promise<void>[], milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([...promises, late]);
  clearTimeout(timer);
}

async function bind(http: HttpServer, host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      http.once("error", reject);
      http.listen({ host, port }, resolve);
    });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EADDRINUSE")
      throw new AgnoChatError("ADDRESS_IN_USE", `Port ${port} of ${host} is in use.`, {
        hint: "Choose another port, or stop the program that listens there.",
        cause,
      });
    throw new AgnoChatError("USAGE", `Cannot listen on ${host}, port ${port}: ${code}.`, { cause });
  }
}

const tooSlow = (milliseconds: number) =>
  new AgnoChatError("MODEL_TIMEOUT", `The answer took longer than ${milliseconds} ms.`);

const exposed = (host: string) =>
  new AgnoChatError("USAGE", `On ${host}, anyone who can connect could be any user.`, {
    hint: "Listen on 127.0.0.1, or accept the risk with allowAnonymous.",
    hintId: "allow-anonymous",
  });
