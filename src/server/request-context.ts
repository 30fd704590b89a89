import type { IncomingMessage, ServerResponse } from "node:http";
import { AgnoChatError, asAgnoChatError } from "../errors.js";
import type { UserId } from "../ids.js";
import { ConfigurationFault } from "./failure-answer.js";

/** One request, its answer, and what is known about them. */
export class RequestContext {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  /** The requested host and port, in lower case; empty if the request names none. */
  readonly host: string;
  /** The client hung up before the whole answer was sent. */
  left = false;
  /** Resolves when the answer is sent, or the client is gone. */
  readonly closed: Promise<void>;
  /** The authenticated user; undefined for an anonymous caller, who must name a user. */
  caller: UserId | undefined;
  /** The caller, or the user whom an anonymous caller names, once known. */
  userId: UserId | undefined;
  /** The error code it failed with. */
  failure: string | undefined;
  /** What the program around the server did wrong: a fixed sentence for the log. */
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

  /** Aborts when the client hangs up, when time runs out and when the server closes. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Records the error for the log. */
  fail(thrown: unknown): void {
    this.failure = asAgnoChatError(thrown).code;
    if (thrown instanceof ConfigurationFault) this.fault = thrown.message;
  }

  abort(reason: AgnoChatError): void {
    this.#controller.abort(reason);
  }

  /** Call it when the answer was sent, or was dropped with its socket. */
  finish(): void {
    if (this.request.socket.destroyed) this.hangUp();
    else this.#end();
  }

  /** Cuts off an answer that has begun. */
  cut(): void {
    this.#end();
    this.response.destroy();
  }

  /** Call it when the socket is gone. */
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

interface RequestTarget {
  /** Host and port, if the target names them; they win over Host (RFC 9112, section 3.2.2). */
  readonly authority: string | undefined;
  /** Without a trailing slash. */
  readonly path: string;
  /** The query with its question mark, or empty. */
  readonly search: string;
}

/** Parses a request target: a path, or a whole URL, as it is sent to proxies. */
function targetOf(url = "/"): RequestTarget {
  const [, authority, rest = url] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url) ?? [];
  const mark = rest.indexOf("?");
  const path = mark < 0 ? rest : rest.slice(0, mark);
  const search = mark < 0 ? "" : rest.slice(mark);
  return { authority, path: path.replace(/(.)\/$/, "$1") || "/", search };
}
