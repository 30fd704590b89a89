import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { StreamedAnswer, WholeAnswer } from "./answer.js";
import { readNodeBody } from "./body.js";
import { type DoorParts, Exchange, type Outlet, type Receiver } from "./exchange.js";
import { RequestContext, type RequestHead } from "./request-context.js";

/** The way in of Node's `(request, response)` handlers. */
export class NodeDoor {
  readonly #parts: DoorParts;
  readonly #bySocket = new WeakMap<Socket, Set<Receiver>>();

  constructor(parts: DoorParts) {
    this.#parts = parts;
  }

  enter(request: IncomingMessage, response: ServerResponse): Exchange {
    const { quota, writeTimeoutMs } = this.#parts;
    const context = new RequestContext(new NodeHead(request), () => readNodeBody(request, quota));
    const others = this.#onSocket(request.socket);
    return new Exchange(context, new NodeOutlet({ request, response, writeTimeoutMs, others }));
  }

  /** A pipelined answer gets no event of its own when its socket closes. */
  #onSocket(socket: Socket): Set<Receiver> {
    const known = this.#bySocket.get(socket);
    if (known !== undefined) return known;
    const receivers = new Set<Receiver>();
    this.#bySocket.set(socket, receivers);
    socket.once("close", () => {
      for (const receiver of receivers) receiver.hangUp();
    });
    return receivers;
  }
}

class NodeHead implements RequestHead {
  readonly raw: IncomingMessage;

  constructor(request: IncomingMessage) {
    this.raw = request;
  }

  get method(): string {
    return this.raw.method ?? "";
  }

  get url(): string {
    return this.raw.url ?? "/";
  }

  get headers() {
    return this.raw.headers;
  }

  get address(): string {
    return this.raw.socket.remoteAddress ?? "localhost";
  }

  get protocol(): "http" | "https" {
    return (this.raw.socket as Partial<TLSSocket>).encrypted ? "https" : "http";
  }
}

interface OutletParts {
  readonly request: IncomingMessage;
  /** Compressing middleware adds `flush`, for data that cannot wait. */
  readonly response: ServerResponse & { flush?: () => void };
  readonly writeTimeoutMs: number;
  /** Everything under way on the same socket. */
  readonly others: Set<Receiver>;
}

class NodeOutlet implements Outlet {
  readonly #parts: OutletParts;
  #receiver!: Receiver;
  #drained: (() => void) | undefined;

  constructor(parts: OutletParts) {
    this.#parts = parts;
  }

  get status(): number {
    return this.#parts.response.statusCode;
  }

  get hasBegun(): boolean {
    return this.#parts.response.headersSent;
  }

  get isClosed(): boolean {
    return this.#parts.response.destroyed;
  }

  get isFull(): boolean {
    return this.#parts.response.writableNeedDrain;
  }

  open(receiver: Receiver): void {
    const { request, response, others } = this.#parts;
    this.#receiver = receiver;
    // A middleware may have delayed the request until after every event.
    if (request.socket.destroyed || response.closed) receiver.hangUp();
    else others.add(receiver);
  }

  send({ status, headers, body }: WholeAnswer): void {
    const { response } = this.#parts;
    response.writeHead(status, headers);
    // Node drops the body of an answer to HEAD.
    response.end(body);
    this.#settle();
  }

  begin(headers: StreamedAnswer["headers"]): void {
    const { response } = this.#parts;
    // One listener for the whole answer: some middleware cannot remove the listeners it forwards.
    response.on("drain", () => this.#drained?.());
    response.writeHead(200, headers);
  }

  write(text: string): void {
    const { response } = this.#parts;
    response.write(text);
    response.flush?.();
  }

  end(): void {
    this.#parts.response.end();
    this.#settle();
  }

  cut(): void {
    this.#parts.response.destroy();
  }

  catchUp(drained: () => void): void {
    this.#drained = drained;
    this.#parts.response.setTimeout(this.#parts.writeTimeoutMs);
  }

  resume(): void {
    this.#parts.response.setTimeout(0);
  }

  stopKeepAlive(): void {
    this.#parts.response.shouldKeepAlive = false;
  }

  /** The operating system has most answers at once, and waiting for an event takes its time. */
  #settle(): void {
    const { request, response, writeTimeoutMs } = this.#parts;
    if (response.writableEnded && response.writableLength === 0) return this.#finish();
    response.on("finish", () => this.#finish());
    if (request.socket.writableNeedDrain) response.setTimeout(writeTimeoutMs);
  }

  #finish(): void {
    const { request, others } = this.#parts;
    others.delete(this.#receiver);
    // It may have been dropped with its socket.
    if (request.socket.destroyed) this.#receiver.hangUp();
    else this.#receiver.finish();
  }
}
