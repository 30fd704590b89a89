import type { ServerResponse } from "node:http";
import { AgnoChatError } from "../errors.js";
import { failureOf } from "./failure-answer.js";
import type { RequestContext } from "./request-context.js";

export const NEVER_CACHED = { "cache-control": "no-store" } as const;

/** Sends one JSON document. */
export function sendJson(
  response: ServerResponse,
  value: unknown,
  { status = 200, headers = NEVER_CACHED }: SendOptions = {},
): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

export interface SendOptions {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends 204, No Content. */
export function sendNothing(response: ServerResponse): void {
  response.writeHead(204, NEVER_CACHED);
  response.end();
}

/** Sends `{ error, code }` with the status of the code. */
export function sendFailure({ response }: RequestContext, thrown: unknown): void {
  const { code, message, http } = failureOf(thrown);
  sendJson(response, { error: message, code }, { status: http, headers: headersOf(code) });
}

const headersOf = (code: string): Readonly<Record<string, string>> =>
  code === "BUSY" || code === "SHUTTING_DOWN"
    ? { ...NEVER_CACHED, "retry-after": "1" }
    : NEVER_CACHED;

/** @throws {AgnoChatError} `METHOD_NOT_ALLOWED` */
export function methodNotAllowed(
  { request, response, path }: RequestContext,
  allowed: string,
): never {
  response.setHeader("allow", allowed);
  throw new AgnoChatError("METHOD_NOT_ALLOWED", `${path} does not allow ${request.method}.`, {
    hint: `Allowed: ${allowed}.`,
  });
}
