import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { type AddressInfo, Server as TcpServer } from "node:net";
import { AgnoChatError } from "../errors.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import { isLoopback } from "./access.js";
import { Dispatcher } from "./dispatcher.js";
import type { DoorParts, Exchange } from "./exchange.js";
import { InFlight } from "./in-flight.js";
import { NodeDoor } from "./node-door.js";
import { logLine, recordOf } from "./request-log.js";
import { routesOf } from "./routes.js";
import {
  DEFAULT_TIMEOUTS,
  hostsOf,
  refuseTwoGates,
  SERVER_KEYS,
  type ServerOptions,
  TIMEOUT_KEYS,
  type Timeouts,
} from "./server-options.js";
import { TrustedProxies } from "./trusted-proxies.js";
import { type FetchInfo, WebDoor } from "./web-door.js";

export interface ListenOptions {
  /** Default: `127.0.0.1`. */
  readonly host?: string;
  /** 0 means any free port. Default: 8080. */
  readonly port?: number;
  /**
   * A listening socket that this process was given, in place of `host` and `port`. Several
   * processes may share one: a new one takes over before the old one is closed.
   */
  readonly fd?: number | undefined;
}

const LISTEN_KEYS: KnownKeys<ListenOptions> = { host: true, port: true, fd: true };

const MOST_IN_FLIGHT = 20_000;

/** Milliseconds between looks at whether the tokens of current requests are still valid. */
const RECHECK = 5_000;

/** Milliseconds for clients to send once more over a connection that they keep open. */
const LINGER = 1_000;

/** Milliseconds for clients to receive the answers of aborted requests. */
const TAIL = 1000;

/**
 * One agent over HTTP and A2A: `POST /chat`, `GET` and `DELETE /history`, `GET /size`, `/export`,
 * `/healthz`, `/readyz`, `/openapi.json`, `/.well-known/agent-card.json`, `POST /a2a`, and below
 * `/v1` what clients of OpenAI speak.
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
  readonly #dispatcher: Dispatcher;
  readonly #nodeDoor: NodeDoor;
  readonly #webDoor: WebDoor;
  readonly #inFlight = new InFlight();
  /** Set while requests with tokens are under way. */
  #rechecking: NodeJS.Timeout | undefined;
  #http: HttpServer | undefined;
  #closing: Promise<void> | undefined;
  /** It no longer waits for current requests. */
  #isEnding = false;
  #closeNow!: () => void;
  readonly #closedNow = new Promise<void>((resolve) => {
    this.#closeNow = resolve;
  });

  /** @internal Use `createServer`. */
  constructor(options: ServerOptions) {
    refuseUnknownKeys(options, SERVER_KEYS, "createServer");
    const { agent, publicUrl, trustedProxies = [], timeouts = {} } = options;
    refuseUnknownKeys(timeouts, TIMEOUT_KEYS, "timeouts");
    refuseTwoGates(options);
    this.#options = options;
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...timeouts };
    const access = { ...options, allowedHosts: hostsOf(options) };
    const proxies = new TrustedProxies(trustedProxies);
    this.#proxies = proxies;
    const takesTokens = options.tokens !== undefined;
    const routes = routesOf({ agent, publicUrl, proxies, takesTokens });
    this.#dispatcher = new Dispatcher({ routes, access, proxies });
    const parts: DoorParts = {
      quota: { held: 0 },
      bodyTimeoutMs: this.#timeouts.body,
      writeTimeoutMs: this.#timeouts.reader,
    };
    this.#nodeDoor = new NodeDoor(parts);
    this.#webDoor = new WebDoor(parts);
  }

  /** How many requests are being answered. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /**
   * Answers one request. Works wherever Node's `(request, response)` handlers do. Never throws.
   */
  readonly handler = (request: IncomingMessage, response: ServerResponse): void => {
    void this.#serve(this.#nodeDoor.enter(request, response));
  };

  /**
   * Answers one web-standard request: in Hono, Next, Bun, Deno or a worker. Aborting its signal, or
   * cancelling the body of the response, stops the run. Never rejects.
   * @param info Without an address, an anonymous caller counts as one from another machine.
   * @example
   * const chat = createServer({ agent: new Agent({ model: new DemoModel() }) });
   * const request = new Request("http://localhost/size?user_id=alice");
   * const response = await chat.fetch(request, { address: "127.0.0.1" });
   * console.log(await response.json()); // { user_id: 'alice', messages: 0, runs: 0, bytes: 0 }
   */
  readonly fetch = (request: Request, info: FetchInfo = {}): Promise<Response> =>
    new Promise((resolve) => {
      void this.#serve(this.#webDoor.enter(request, { info, respond: resolve }));
    });

  /**
   * Starts its own HTTP server.
   * @returns its URL, for example `http://127.0.0.1:8080`
   * @throws {AgnoChatError} `ADDRESS_IN_USE`; `USAGE` if it cannot listen on the address, if other
   *   machines could reach it anonymously, or for an unknown option
   */
  async listen(options: ListenOptions = {}): Promise<string> {
    refuseUnknownKeys(options, LISTEN_KEYS, "listen");
    const { host = "127.0.0.1", port = 8080, fd } = options;
    if (fd === undefined) this.#refuseExposure(host);
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
    await bind(http, { host, port, fd });
    this.#http = http;
    const { address, port: bound, family } = addressOf(http);
    if (fd !== undefined) await this.#refuseExposedSocket(address);
    return `http://${family === "IPv6" ? `[${address}]` : address}:${bound}`;
  }

  #refuseExposure(host: string): void {
    const { authenticate, tokens, allowAnonymous } = this.#options;
    const isOpen = authenticate === undefined && tokens === undefined;
    if (isOpen && !allowAnonymous && !isLoopback(host)) throw exposed(host);
  }

  async #refuseExposedSocket(address: string): Promise<void> {
    try {
      this.#refuseExposure(address);
    } catch (thrown) {
      await this.close({ now: true });
      throw thrown;
    }
  }

  /**
   * Accepts no new connections, lets current requests end on their own for `timeouts.drain`, then
   * aborts them. What was answered is stored. `now` aborts at once, even while an earlier call
   * waits.
   */
  async close(options: { readonly now?: boolean } = {}): Promise<void> {
    refuseUnknownKeys(options, { now: true }, "close");
    this.#closing ??= this.#close();
    if (options.now) this.#closeNow();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { drain } = this.#timeouts;
    const http = this.#http;
    const closed = http && stopListening(http);
    this.#inFlight.stopKeepAlive();
    if (closed) await firstOf([closed, this.#closedNow], Math.min(LINGER, drain));
    http?.closeIdleConnections();
    const idle = this.#inFlight.idle();
    await firstOf([idle, this.#closedNow], drain);
    this.#isEnding = true;
    this.#inFlight.abort(shuttingDown());
    await firstOf([idle], TAIL);
    http?.closeAllConnections();
    http?.close();
    await closed;
  }

  async #serve(exchange: Exchange): Promise<void> {
    const { context } = exchange;
    const started = performance.now();
    this.#inFlight.enter(exchange);
    this.#recheck();
    const limit = this.#limit(exchange);
    try {
      context.cancellation.throwIfAborted();
      this.#refuseTooMany(exchange);
      const streaming = exchange.answer(await this.#dispatcher.answer(context));
      if (streaming !== undefined) await streaming;
    } catch (thrown) {
      exchange.fail(thrown);
    } finally {
      clearTimeout(limit);
    }
    exchange.whenOver(() => this.#leave(exchange, started));
  }

  #leave(exchange: Exchange, started: number): void {
    this.#inFlight.leave(exchange);
    this.#recheck();
    const { log, record } = this.#options;
    if (log === undefined && record === undefined) return;
    const { path, head } = exchange.context;
    const known = this.#dispatcher.knows(path) ? path : "other";
    const fields = { path: known, ms: performance.now() - started };
    log?.(logLine(exchange, fields));
    record?.(recordOf(exchange, { ...fields, address: this.#proxies.clientOf(head) }));
  }

  /** Looks after the tokens of requests under way, while there are any. */
  #recheck(): void {
    const { tokens } = this.#options;
    if (tokens === undefined) return;
    if (this.#inFlight.size === 0) {
      clearInterval(this.#rechecking);
      this.#rechecking = undefined;
    }
    // A store that fails now is asked again.
    const look = () => void this.#inFlight.endRevoked(tokens).catch(() => {});
    if (this.#inFlight.size > 0) this.#rechecking ??= setInterval(look, RECHECK);
  }

  #limit(exchange: Exchange): NodeJS.Timeout | undefined {
    const { reply } = this.#timeouts;
    if (reply === Infinity) return undefined;
    return setTimeout(() => exchange.abort(tooSlow(reply)), reply);
  }

  #refuseTooMany({ outlet }: Exchange): void {
    if (this.#closing !== undefined) {
      outlet.stopKeepAlive();
      // While it drains, it answers what was on its way over an open connection.
      const isDraining = this.#http !== undefined && !this.#isEnding;
      if (!isDraining) throw shuttingDown();
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

/**
 * Accepts no more connections. `close` of an HTTP server would also cut idle ones, over which a
 * request may be on its way. Resolves when all are closed.
 */
const stopListening = (http: HttpServer): Promise<void> =>
  new Promise((resolve) => {
    TcpServer.prototype.close.call(http, () => resolve());
  });

async function firstOf(promises: readonly Promise<void>[], milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([...promises, late]);
  clearTimeout(timer);
}

/** A socket may also be one of the file system. */
function addressOf(http: HttpServer): AddressInfo {
  const address = http.address();
  if (typeof address === "object" && address !== null) return address;
  return { address: "localhost", port: 0, family: "IPv4" };
}

/** @throws {AgnoChatError} rejects with `ADDRESS_IN_USE`, or `USAGE` for any other failure */
export async function bind(
  http: HttpServer,
  {
    host,
    port,
    fd,
  }: { readonly host: string; readonly port: number; readonly fd?: number | undefined },
): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      http.once("error", reject);
      http.listen(fd === undefined ? { host, port } : { fd }, resolve);
    });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (fd !== undefined)
      throw new AgnoChatError("USAGE", `Cannot listen on the socket ${fd}: ${code}.`, { cause });
    if (code === "EADDRINUSE")
      throw new AgnoChatError("ADDRESS_IN_USE", `Port ${port} of ${host} is in use.`, {
        hint: "Choose another port, or stop the program that listens there.",
        cause,
      });
    throw new AgnoChatError("USAGE", `Cannot listen on ${host}, port ${port}: ${code}.`, { cause });
  }
}

const shuttingDown = () => new AgnoChatError("SHUTTING_DOWN", "The server is shutting down.");

const tooSlow = (milliseconds: number) =>
  new AgnoChatError("MODEL_TIMEOUT", `The answer took longer than ${milliseconds} ms.`);

const exposed = (host: string) =>
  new AgnoChatError("USAGE", `On ${host}, anyone who can connect could be any user.`, {
    hint: "Listen on 127.0.0.1, let people in with tokens, or accept the risk with allowAnonymous.",
    hintId: "allow-anonymous",
  });
