import { AgnoChatError } from "../errors.js";
import type { Tokens } from "../memory/memory.js";
import type { Exchange } from "./exchange.js";

const revoked = () =>
  new AgnoChatError("UNAUTHENTICATED", "The token of this request is no longer valid.");

/** The requests whose work or answer is not finished yet. */
export class InFlight {
  readonly #exchanges = new Set<Exchange>();
  #onIdle: (() => void) | undefined;

  get size(): number {
    return this.#exchanges.size;
  }

  enter(exchange: Exchange): void {
    this.#exchanges.add(exchange);
  }

  leave(exchange: Exchange): void {
    this.#exchanges.delete(exchange);
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
    for (const { outlet } of this.#exchanges) outlet.stopKeepAlive();
  }

  abort(reason: AgnoChatError): void {
    for (const exchange of this.#exchanges) exchange.abort(reason);
  }

  /** Ends the requests whose token is no longer valid. */
  async endRevoked(tokens: Tokens): Promise<void> {
    for (const exchange of [...this.#exchanges]) {
      const { tokenId } = exchange.context;
      if (tokenId !== undefined && !(await tokens.isValid(tokenId))) exchange.abort(revoked());
    }
  }
}
