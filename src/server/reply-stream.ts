import { onAbort } from "../abort.js";
import { AgnoChatError } from "../errors.js";
import { NEVER_CACHED } from "./reply.js";
import type { RequestContext } from "./request-context.js";

export interface ReplyStreamOptions {
  /** How long a client may read nothing before it is disconnected. */
  readonly writeTimeoutMs: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** An answer sent in pieces to a client that may be slow. The first piece starts it. */
export class ReplyStream {
  readonly #context: RequestContext;
  readonly #options: ReplyStreamOptions;
  #drained = (): void => {};

  constructor(context: RequestContext, options: ReplyStreamOptions) {
    this.#context = context;
    this.#options = options;
    // One listener for the whole answer: some middleware cannot remove the listeners it forwards.
    context.response.on("drain", () => this.#drained());
  }

  /** Whether the headers are sent and the client can still receive an error event. */
  get isOpen(): boolean {
    const { response, left } = this.#context;
    return response.headersSent && !left && !response.destroyed;
  }

  /**
   * Resolves when there is room for more. After an abort of the server it resolves at once, so that
   * the error event can follow.
   * @throws {AgnoChatError} `CANCELLED` when the client has hung up or has stopped reading
   */
  async write(text: string): Promise<void> {
    this.#refuseGone();
    if (this.send(text)) return;
    const { response } = this.#context;
    response.setTimeout(this.#options.writeTimeoutMs);
    await this.#drain();
    response.setTimeout(0);
    this.#refuseGone();
  }

  end(): void {
    this.#begin();
    this.#context.response.end();
  }

  /** @returns false when the client must catch up first */
  protected send(text: string): boolean {
    this.#begin();
    return this.#context.response.write(text);
  }

  #begin(): void {
    const { response } = this.#context;
    if (response.headersSent) return;
    response.writeHead(200, { ...NEVER_CACHED, ...this.#options.headers });
  }

  #refuseGone(): void {
    const { response, left } = this.#context;
    if (left || response.destroyed) throw new AgnoChatError("CANCELLED", "The client is gone.");
  }

  #drain(): Promise<void> {
    const { signal } = this.#context;
    return new Promise((resolve) => {
      const forget = onAbort(signal, resolve);
      this.#drained = () => {
        forget();
        resolve();
      };
    });
  }
}
