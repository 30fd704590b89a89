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

  /** @throws the signal's reason when the reader has hung up or takes nothing any more */
  async write(text: string): Promise<void> {
    const { response, signal } = this.#exchange;
    signal.throwIfAborted();
    this.#begin();
    if (response.write(text)) return;
    response.setTimeout(this.#options.patience);
    await this.#drain();
    response.setTimeout(0);
    signal.throwIfAborted();
  }

  end(): void {
    this.#begin();
    this.#exchange.response.end();
  }

  #begin(): void {
    const { response } = this.#exchange;
    if (response.headersSent) return;
    response.writeHead(200, { ...NEVER_CACHED, ...this.#options.headers });
  }

  #drain(): Promise<void> {
    const { signal } = this.#exchange;
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#drained = done;
      signal.addEventListener("abort", done);
    });
  }
}
