import { hash, randomUUID } from "node:crypto";
import type { UserId } from "../ids.js";
import type { Exchange } from "./exchange.js";

/** A finished request, with whose and where from. Never a text. */
export interface RequestRecord {
  /** When it was over, ISO 8601. */
  readonly time: string;
  readonly method: string;
  /** A known route, or `other`. */
  readonly path: string;
  /** 499 if the client hung up first. */
  readonly status: number;
  readonly durationMs: number;
  /** The error code it failed with. */
  readonly code: string | undefined;
  /** The authenticated user, or the user whom an anonymous caller named. */
  readonly userId: string | undefined;
  /** The id of the token that let the request in; not the token. */
  readonly tokenId: string | undefined;
  /** The client's address: what a trusted proxy says it is. */
  readonly address: string;
  /** The run it started, if that is stored or its stream has begun. */
  readonly runId: string | undefined;
}

interface RecordFields extends LogFields {
  readonly address: string;
}

export function recordOf(
  { context, outlet, left }: Exchange,
  { path, ms, address }: RecordFields,
): RequestRecord {
  const { head, failure: code, caller, userId = caller, tokenId, runId } = context;
  return {
    time: isoNow(),
    method: head.method,
    path,
    status: left ? 499 : outlet.status,
    durationMs: ms,
    code,
    userId,
    tokenId,
    address,
    runId,
  };
}

/**
 * New in every process: a log shows which requests were the same user's, but not which user's. Made
 * when it is first needed, because a worker may make no random value while it loads.
 */
let salt: string | undefined;

/**
 * One line of JSON about a finished request: `time` (ISO 8601), `method`, `path` (a known route, or
 * `other`), `status` (499: the client hung up first), `ms`, and if there is one the error's `code`,
 * its `fault` (a fixed sentence on what the program around the server did wrong) and `user`, a
 * hash. Never a text, an id or an address.
 */
export function logLine({ context, outlet, left }: Exchange, { path, ms }: LogFields): string {
  const { head, failure, fault, userId } = context;
  return JSON.stringify({
    time: isoNow(),
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

/** Of the users seen lately, because a hash takes longer than the rest of a line. */
const hashes = new Map<UserId, string>();
const MOST_HASHES = 1000;

function hashOf(userId: UserId): string {
  const known = hashes.get(userId);
  if (known !== undefined) return known;
  if (hashes.size === MOST_HASHES) hashes.clear();
  salt ??= randomUUID();
  const made = hash("sha256", salt + userId).slice(0, 12);
  hashes.set(userId, made);
  return made;
}

/** The time of the last line, because a busy server writes many in a millisecond. */
let latest = { at: 0, text: "" };

function isoNow(): string {
  const at = Date.now();
  if (at !== latest.at) latest = { at, text: new Date(at).toISOString() };
  return latest.text;
}
