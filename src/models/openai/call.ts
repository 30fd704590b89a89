import { AgnoChatError } from "../../errors.js";
import type { Server } from "./server.js";

/** How long the end of a body is awaited whose answer is complete: then its connection can be used again. */
const END_OF_BODY_MS = 250;

/** One request to a server and its answer. Ends when its caller aborts, or when the server is silent for too long. */
export class Call {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal;
  readonly #server: Server;
  #idleMs: number;
  #isEnding = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(server: Server, caller: AbortSignal) {
    this.#server = server;
    this.#caller = caller;
    this.#idleMs = server.idleTimeoutMs;
    if (caller.aborted) this.#follow();
    else caller.addEventListener("abort", this.#follow, { once: true });
    this.#listen();
  }

  /** Aborted when the socket has to be closed. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Passes the body on. Time counts as silence only while a piece of it is awaited. */
  async *heard(body: AsyncIterable<Uint8Array> | null): AsyncGenerator<Uint8Array> {
    this.#listen();
    for await (const bytes of body ?? []) {
      if (!this.#isEnding) clearTimeout(this.#timer);
      yield bytes;
      if (!this.#isEnding) this.#listen();
    }
  }

  /** From now on the server has little time left, whatever it sends. */
  expectEnd(): void {
    this.#isEnding = true;
    this.#idleMs = Math.min(this.#idleMs, END_OF_BODY_MS);
    this.#listen();
  }

  /** Listens no longer. A body that was left half read has closed its socket, a whole one has given it back. */
  end(): void {
    clearTimeout(this.#timer);
    this.#caller.removeEventListener("abort", this.#follow);
  }

  /** Why the call failed: the abort, whatever came of it, or else what was thrown. */
  causeOf(thrown: unknown): unknown {
    return this.signal.aborted ? this.signal.reason : thrown;
  }

  #listen(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#giveUp, this.#idleMs);
  }

  readonly #follow = (): void => this.#controller.abort(this.#caller.reason);

  readonly #giveUp = (): void => {
    const message = `${this.#server.host} sent nothing for ${this.#idleMs / 1000} s.`;
    this.#controller.abort(
      new AgnoChatError("MODEL_TIMEOUT", message, { hint: "Try again, or allow it more time." }),
    );
  };
}
