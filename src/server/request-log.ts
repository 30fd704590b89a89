import { hash, randomUUID } from "node:crypto";
import type { Exchange } from "./exchange.js";

/** New in every process: a log shows which requests were the same user's, but not which user's. */
const SALT = randomUUID();

/**
 * One line of JSON about a finished request: `time` (ISO 8601), `method`, `path` (a known route, or
 * `other`), `status` (499: the client hung up first), `ms`, and if there is one the error's `code`,
 * its `fault` (a fixed sentence on what the program around the server did wrong) and `user`, a
 * hash. Never a text, an id or an address.
 */
export function logLine({ context, outlet, left }: Exchange, { path, ms }: LogFields): string {
  const { head, failure, fault, userId } = context;
  return JSON.stringify({
    time: new Date().toISOString(),
    method: head.method,
    path,
    status: left ? 499 : outlet.status,
    ms: Math.round(ms * 10) / 10,
    code: failure,
    fault,
    user: userId === undefined ? undefined : hashOf(userId),
  });
}

export interface LogFields {
  readonly path: string;
  readonly ms: number;
}

const hashOf = (id: string): string => hash("sha256", SALT + id).slice(0, 12);
