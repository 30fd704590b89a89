import type { Socket } from "node:net";
import type { AgnoChatError } from "../errors.js";
import type { Exchange } from "./exchange.js";

/** The requests of a server whose work or whose answer is not done with. */
export class InFlight {
  readonly #exchanges = new Set<Exchange>();
  readonly #bySocket = new WeakMap<Socket, Set<Exchange>>();
  #onIdle: (() => void) | undefined;

  get size(): number {
    return this.#exchanges.size;
  }

  enter(exchange: Exchange): void {
    this.#exchanges.add(exchange);
    const { request, response } = exchange;
    this.#onSocket(request.socket).add(exchange);
    response.once("finish", () => exchange.finish());
    // Of one that was held up on its way here both events may be over.
    if (request.socket.destroyed || response.closed) exchange.hangUp();
  }

  leave(exchange: Exchange): void {
    this.#exchanges.delete(exchange);
    this.#bySocket.get(exchange.request.socket)?.delete(exchange);
    if (this.size === 0) this.#onIdle?.();
  }

  async idle(): Promise<void> {
    if (this.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Lets none of their connections be used again. */
  lastOnTheirSockets(): void {
    for (const { response } of this.#exchanges) response.shouldKeepAlive = false;
  }

  abort(reason: AgnoChatError): void {
    for (const exchange of this.#exchanges) exchange.abort(reason);
  }

  /** An answer that waits behind another one on the same socket hears nothing of a hang-up by itself. */
  #onSocket(socket: Socket): Set<Exchange> {
    const known = this.#bySocket.get(socket);
    if (known !== undefined) return known;
    const exchanges = new Set<Exchange>();
    this.#bySocket.set(socket, exchanges);
    socket.once("close", () => {
      for (const exchange of exchanges) exchange.hangUp();
    });
    return exchanges;
  }
}
