import { AgnoChatError } from "../errors.js";
import type { Exchange } from "./exchange.js";
import { NEVER_CACHED } from "./reply.js";

export interface ReplyStreamOptions {
  /** Milliseconds to wait for a reader that takes nothing. */
  readonly patience: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** An answer in pieces to one reader, who may be slow but not for ever. It begins with its first piece. */
export class ReplyStream {
  readonly #exchange: Exchange;
  readonly #options: ReplyStreamOptions;
  #drained = (): void => {};

  constructor(exchange: Exchange, options: ReplyStreamOptions) {
    this.#exchange = exchange;
    this.#options = options;
    // Once for all of it: a middleware may hand a listener on and never give it back.
    exchange.response.on("drain", () => this.#drained());
  }

  /** Too late for a status, and there is somebody to be told. */
  get isOpen(): boolean {
    const { response, left } = this.#exchange;
    return response.headersSent && !left && !response.destroyed;
  }

  /**
   * Resolves when there is room for more, and at once after an abort of this side: then these are the last words.
   * @throws {AgnoChatError} `CANCELLED` when the reader has hung up or takes nothing any more
   */
  async write(text: string): Promise<void> {
    this.#refuseGone();
    if (this.send(text)) return;
    const { response } = this.#exchange;
    response.setTimeout(this.#options.patience);
    await this.#drain();
    response.setTimeout(0);
    this.#refuseGone();
  }

  end(): void {
    this.#begin();
    this.#exchange.response.end();
  }

  /** @returns false when the reader has enough to take for now */
  protected send(text: string): boolean {
    this.#begin();
    return this.#exchange.response.write(text);
  }

  #begin(): void {
    const { response } = this.#exchange;
    if (response.headersSent) return;
    response.writeHead(200, { ...NEVER_CACHED, ...this.#options.headers });
  }

  #refuseGone(): void {
    const { response, left } = this.#exchange;
    if (left || response.destroyed)
      throw new AgnoChatError("CANCELLED", "Nobody is there to take the answer.");
  }

  #drain(): Promise<void> {
    const { signal } = this.#exchange;
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener("abort", done);
        resolve();
      };
      if (signal.aborted) return resolve();
      this.#drained = done;
      signal.addEventListener("abort", done);
    });
  }
}
