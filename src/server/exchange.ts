import type { IncomingMessage, ServerResponse } from "node:http";
import { AgnoChatError, asAgnoChatError } from "../errors.js";
import { HostFault } from "./failure.js";
import { targetOf } from "./target.js";

/** One request on its way to its answer. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  /** Name and port it was asked as, in lower case; empty when nothing tells. */
  readonly host: string;
  /** The client hung up before the whole answer was out. */
  left = false;
  /** Resolves when the answer is out, or nobody is there to take it. */
  readonly closed: Promise<void>;
  /** Who asks, when the server knows; only then may a request leave out whom it is about. */
  caller: string | undefined;
  /** Whose data it turned out to be about. */
  userId: string | undefined;
  /** The code of the failure it ended with. */
  failure: string | undefined;
  /** What the program around the server did wrong, in a sentence for the log. */
  fault: string | undefined;
  #over = false;
  readonly #controller = new AbortController();
  readonly #search: string;
  #close!: () => void;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
    const { authority, path, search } = targetOf(request.url);
    this.host = (authority ?? request.headers.host ?? "").toLowerCase();
    this.path = path;
    this.#search = search;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  get query(): URLSearchParams {
    return new URLSearchParams(this.#search);
  }

  /** Aborts when the client hangs up, and when the server ends. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Notes what it ended with. */
  fail(thrown: unknown): void {
    this.failure = asAgnoChatError(thrown).code;
    if (thrown instanceof HostFault) this.fault = thrown.message;
  }

  abort(reason: AgnoChatError): void {
    this.#controller.abort(reason);
  }

  /** The answer is out, or what is left of it was dropped with its socket. */
  finish(): void {
    if (this.request.socket.destroyed) this.hangUp();
    else this.#end();
  }

  /** Gives up on an answer that has begun. */
  cut(): void {
    this.#end();
    this.response.destroy();
  }

  /** The socket is gone. */
  hangUp(): void {
    if (!this.#over) {
      this.left = !this.signal.aborted;
      this.abort(new AgnoChatError("CANCELLED", "The client hung up."));
    }
    this.#end();
  }

  #end(): void {
    this.#over = true;
    this.#close();
  }
}
