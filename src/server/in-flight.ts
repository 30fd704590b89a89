import type { Socket } from "node:net";
import type { AgnoChatError } from "../errors.js";
import type { RequestContext } from "./request-context.js";

/** The requests whose work or answer is not finished yet. */
export class InFlight {
  readonly #contexts = new Set<RequestContext>();
  readonly #bySocket = new WeakMap<Socket, Set<RequestContext>>();
  #onIdle: (() => void) | undefined;

  get size(): number {
    return this.#contexts.size;
  }

  enter(context: RequestContext): void {
    this.#contexts.add(context);
    const { request, response } = context;
    this.#onSocket(request.socket).add(context);
    response.once("finish", () => context.finish());
    // A middleware may have delayed the request until after both events.
    if (request.socket.destroyed || response.closed) context.hangUp();
  }

  leave(context: RequestContext): void {
    this.#contexts.delete(context);
    this.#bySocket.get(context.request.socket)?.delete(context);
    if (this.size === 0) this.#onIdle?.();
  }

  async idle(): Promise<void> {
    if (this.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Closes each connection after its current answer. */
  stopKeepAlive(): void {
    for (const { response } of this.#contexts) response.shouldKeepAlive = false;
  }

  abort(reason: AgnoChatError): void {
    for (const context of this.#contexts) context.abort(reason);
  }

  /** A pipelined answer gets no event of its own when its socket closes. */
  #onSocket(socket: Socket): Set<RequestContext> {
    const known = this.#bySocket.get(socket);
    if (known !== undefined) return known;
    const contexts = new Set<RequestContext>();
    this.#bySocket.set(socket, contexts);
    socket.once("close", () => {
      for (const context of contexts) context.hangUp();
    });
    return contexts;
  }
}
