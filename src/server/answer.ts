import type { ErrorCode } from "../errors.js";
import { failureOf } from "./failure-answer.js";
import type { FailureShape } from "./failure-shape.js";

/** What a route answers. */
export type Answer = WholeAnswer | StreamedAnswer;

type Headers = Readonly<Record<string, string>>;

export interface WholeAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body?: string;
}

/** An answer in pieces, for a client that may be slow. Nothing is sent before the first piece. */
export interface StreamedAnswer {
  readonly headers: Headers;
  readonly pieces: AsyncIterable<string>;
  /** A piece that may be sent at any time, to break a long silence. */
  readonly filler?: string;
  /** The answer if it fails before its first piece. Default: as a route that throws. */
  refusal?(thrown: unknown): WholeAnswer;
  /** The last piece if it fails later. Without it, the answer is cut off. */
  lastWords?(thrown: unknown): string;
}

export const NEVER_CACHED = { "cache-control": "no-store" } as const;

export interface JsonOptions {
  readonly status?: number;
  readonly headers?: Headers;
}

/** One JSON document. */
export function json(
  value: unknown,
  { status = 200, headers = NEVER_CACHED }: JsonOptions = {},
): WholeAnswer {
  const body = JSON.stringify(value);
  const length = String(Buffer.byteLength(body));
  return {
    status,
    headers: { "content-type": "application/json", "content-length": length, ...headers },
    body,
  };
}

/** 204, No Content. */
export const nothing = (): WholeAnswer => ({ status: 204, headers: NEVER_CACHED });

export interface FailureOptions {
  readonly shape: FailureShape;
  readonly headers?: Headers;
}

/** A failure with the status of its code. */
export function failure(thrown: unknown, { shape, headers }: FailureOptions): WholeAnswer {
  const { code, http, retryAfter } = failureOf(thrown);
  const wait = retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
  return json(shape(thrown), {
    status: http,
    headers: { ...headersOf(code), ...wait, ...headers },
  });
}

const headersOf = (code: ErrorCode): Headers => ({ ...NEVER_CACHED, ...HEADERS[code] });

/** What a client is to do next, by the code of the failure. */
const HEADERS: Partial<Record<ErrorCode, Headers>> = {
  BUSY: { "retry-after": "1" },
  SHUTTING_DOWN: { "retry-after": "1" },
  TOO_MANY_ATTEMPTS: { "retry-after": "60" },
  UNAUTHENTICATED: { "www-authenticate": "Bearer" },
};

/** Server-sent events (WHATWG HTML, section 9.2). */
export const eventStream = (
  parts: Pick<StreamedAnswer, "pieces" | "refusal" | "lastWords">,
): StreamedAnswer => ({
  headers: {
    "content-type": "text/event-stream",
    // A proxy that compresses or rewrites the stream would delay the events.
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
  },
  filler: ":\n\n",
  ...parts,
});
