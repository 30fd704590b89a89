import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { Cancellation } from "../abort.js";
import { asAgnoChatError } from "../errors.js";
import type { UserId } from "../ids.js";
import { ConfigurationFault } from "./failure-answer.js";

/** The address of a client that `fetch` was told nothing about. */
export const UNKNOWN_ADDRESS = "unknown";

/** A request without its body. */
export interface RequestHead {
  readonly method: string;
  /** Path and query, or a whole URL. */
  readonly url: string;
  /** By name in lower case, as Node has them. */
  readonly headers: IncomingHttpHeaders;
  /**
   * Where the connection comes from: the client or the nearest proxy. `localhost` if it has no
   * address, as over a Unix socket; `unknown` if `fetch` was not told.
   */
  readonly address: string;
  readonly protocol: "http" | "https";
  /** What was received: an `IncomingMessage` by `handler`, a `Request` by `fetch`. */
  readonly raw: IncomingMessage | Request;
}

/** One request as the routes see it, whichever way it came, and what is known about it. */
export class RequestContext {
  readonly head: RequestHead;
  /**
   * Reads the JSON text of the body, once.
   * @throws {AgnoChatError} rejects as `readNodeBody` and `readWebBody` do
   */
  readonly body: () => Promise<string>;
  readonly path: string;
  /** The requested host and port, in lower case; empty if the request names none. */
  readonly host: string;
  /** Aborts when the client hangs up, when time runs out and when the server closes. */
  readonly cancellation = new Cancellation();
  /** The authenticated user; undefined for an anonymous caller, who must name a user. */
  caller: UserId | undefined;
  /** The token that the caller was let in with. */
  tokenId: string | undefined;
  /** The caller, or the user whom an anonymous caller names, once known. */
  userId: UserId | undefined;
  /** The run it started, once its answer has begun. */
  runId: string | undefined;
  /** The error code it failed with. */
  failure: string | undefined;
  /** What the program around the server did wrong: a fixed sentence for the log. */
  fault: string | undefined;
  readonly #search: string;

  constructor(head: RequestHead, body: () => Promise<string>) {
    this.head = head;
    this.body = body;
    const { authority, path, search } = targetOf(head.url);
    this.host = (authority ?? head.headers.host ?? "").toLowerCase();
    this.path = path;
    this.#search = search;
  }

  get query(): URLSearchParams {
    return new URLSearchParams(this.#search);
  }

  /** Records the error for the log. */
  fail(thrown: unknown): void {
    this.failure = asAgnoChatError(thrown).code;
    if (thrown instanceof ConfigurationFault) this.fault = thrown.message;
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
function targetOf(url: string): RequestTarget {
  if (url.startsWith("/")) return { authority: undefined, ...pathOf(url) };
  const [, authority, rest = url] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url) ?? [];
  return { authority, ...pathOf(rest) };
}

function pathOf(target: string): Omit<RequestTarget, "authority"> {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const search = mark < 0 ? "" : target.slice(mark);
  const isSlashed = path.length > 1 && path.endsWith("/");
  return { path: isSlashed ? path.slice(0, -1) : path || "/", search };
}
