import { AgnoChatError } from "../errors.js";
import {
  DEFAULT_SESSION_ID,
  DEFAULT_USER_ID,
  type SessionId,
  type UserId,
  validateSessionId,
  validateUserId,
} from "../ids.js";
import type { AddOptions, GetMessagesOptions, SessionOptions } from "./memory.js";
import type { Page } from "./store.js";

/**
 * The user id of a call: `default` if it is missing or empty.
 * @throws {AgnoChatError} `INVALID_USER_ID`
 */
export const userIdOf = (userId: string | undefined): UserId =>
  userId === undefined || userId === "" ? DEFAULT_USER_ID : validateUserId(userId);

/**
 * The users of a call that may name some: none if they are missing.
 * @throws {AgnoChatError} `INVALID_USER_ID`
 */
export const userIdsOf = (userIds: ReadonlySet<string> = new Set()): ReadonlySet<UserId> =>
  new Set([...userIds].map(validateUserId));

/**
 * The session id of a call that without one means the session `default`.
 * @throws {AgnoChatError} `INVALID_SESSION_ID`
 */
export const sessionIdOf = (options: SessionOptions): SessionId =>
  optionalSessionIdOf(options) ?? DEFAULT_SESSION_ID;

/**
 * The session id of a call that without one means all sessions: then `undefined`.
 * @throws {AgnoChatError} `INVALID_SESSION_ID`
 */
export function optionalSessionIdOf({ sessionId }: SessionOptions): SessionId | undefined {
  if (sessionId === undefined) return undefined;
  return sessionId === DEFAULT_SESSION_ID ? DEFAULT_SESSION_ID : validateSessionId(sessionId);
}

/** @throws {AgnoChatError} `INVALID_INPUT` */
export const pageOf = ({ limit, maxCharacters, before, after }: GetMessagesOptions): Page => ({
  limit: countOf(limit, "limit"),
  maxCharacters: countOf(maxCharacters, "maxCharacters"),
  before: countOf(before, "before"),
  after: after === undefined ? undefined : countOf(after, "after"),
});

/**
 * Validates a whole number from 0 up or `Infinity`. Returns `Infinity` if it is missing.
 * @throws {AgnoChatError} `INVALID_INPUT`
 */
export function countOf(value: number | undefined, noun: string): number {
  return value === undefined || value === Infinity ? Infinity : finiteCountOf(value, noun);
}

/**
 * Validates a whole number from 0 up.
 * @throws {AgnoChatError} `INVALID_INPUT`
 */
export function finiteCountOf(value: number, noun: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw invalid(noun, value, "a whole number from 0 up");
}

/**
 * Validates a whole number from 1 up.
 * @throws {AgnoChatError} `INVALID_INPUT`
 */
export function positiveCountOf(value: number, noun: string): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw invalid(noun, value, "a whole number from 1 up");
}

/**
 * Validates a duration in milliseconds, from 0 to `Infinity`.
 * @throws {AgnoChatError} `INVALID_INPUT`
 */
export function durationOf(value: number, noun: string): number {
  if (typeof value === "number" && value >= 0) return value;
  throw invalid(noun, value, "a number of milliseconds from 0 up");
}

/**
 * The id of the run to replace. Refused without messages, because the run would only be deleted.
 * @throws {AgnoChatError} `INVALID_INPUT`
 */
export function replaceRunOf(
  { replaceRun }: AddOptions,
  messages: readonly unknown[],
): string | undefined {
  if (replaceRun === undefined) return undefined;
  if (typeof replaceRun !== "string") throw invalid("replaceRun", replaceRun, "the id of a run");
  if (messages.length > 0) return replaceRun;
  throw new AgnoChatError("INVALID_INPUT", "replaceRun needs messages that replace the run.");
}

const invalid = (noun: string, value: unknown, rule: string): AgnoChatError =>
  new AgnoChatError("INVALID_INPUT", `Invalid ${noun} ${String(value)}: it is not ${rule}.`);
