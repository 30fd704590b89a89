import { AgnoChatError } from "../errors.js";
import { DEFAULT_SESSION_ID, DEFAULT_USER_ID, validateSessionId, validateUserId } from "../ids.js";
import type { AddOptions, GetMessagesOptions, SessionOptions } from "./memory.js";
import type { Page } from "./store.js";

/** The user meant: `default` for a missing or empty id. */
export const userIdOf = (userId: string | undefined): string =>
  userId === undefined || userId === "" ? DEFAULT_USER_ID : validateUserId(userId);

/** The session meant where no session means the session `default`. */
export const sessionIdOf = (options: SessionOptions): string =>
  oneSessionOf(options) ?? DEFAULT_SESSION_ID;

/** The session meant where no session means all of them: then `undefined`. */
export const oneSessionOf = ({ sessionId }: SessionOptions): string | undefined =>
  sessionId === undefined || sessionId === DEFAULT_SESSION_ID
    ? sessionId
    : validateSessionId(sessionId);

/**
 * The page of messages meant.
 * @throws {AgnoChatError} `INVALID_INPUT`
 */
export const pageOf = ({ limit, maxCharacters, before, after }: GetMessagesOptions): Page => ({
  limit: countOf(limit, "limit"),
  maxCharacters: countOf(maxCharacters, "maxCharacters"),
  before: countOf(before, "before"),
  after: after === undefined ? undefined : countOf(after, "after"),
});

/**
 * A count of messages, an id or a generation: a whole number from 0 up, or `Infinity`; missing means `Infinity`.
 * @throws {AgnoChatError} `INVALID_INPUT`
 */
export function countOf(value: number | undefined, noun: string): number {
  if (value === undefined || value === Infinity) return Infinity;
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw invalid(noun, value, "a whole number from 0 up");
}

/**
 * A duration in milliseconds, from 0 up to `Infinity`.
 * @throws {AgnoChatError} `INVALID_INPUT`
 */
export function durationOf(value: number, noun: string): number {
  if (typeof value === "number" && value >= 0) return value;
  throw invalid(noun, value, "a number of milliseconds from 0 up");
}

/**
 * The run to be replaced. Without messages it would only be deleted, and a caller has lost them on the way.
 * @throws {AgnoChatError} `INVALID_INPUT`
 */
export function replaceRunOf(
  { replaceRun }: AddOptions,
  messages: readonly unknown[],
): string | undefined {
  if (replaceRun === undefined) return undefined;
  if (typeof replaceRun !== "string") throw invalid("replaceRun", replaceRun, "the id of a run");
  if (messages.length > 0) return replaceRun;
  throw new AgnoChatError("INVALID_INPUT", "A run can only be replaced by messages.");
}

const invalid = (noun: string, value: unknown, rule: string): AgnoChatError =>
  new AgnoChatError("INVALID_INPUT", `Invalid ${noun} ${String(value)}: it is not ${rule}.`);
