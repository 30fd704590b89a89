import { AgnoChatError } from "../errors.js";
import { type SessionId, type UserId, validateSessionId, validateUserId } from "../ids.js";
import type { RequestContext } from "./request-context.js";

export interface ResolveOptions {
  /** What names the user. Default: `user_id`. */
  readonly field?: string;
}

/**
 * The user whose data a request concerns: the caller, or the user an anonymous caller names.
 * Records in the context who asks, for the log.
 * @throws {AgnoChatError} `INVALID_USER_ID`; `FORBIDDEN` for a user other than the caller
 */
export function resolveUser(
  context: RequestContext,
  named: unknown,
  { field = "user_id" }: ResolveOptions = {},
): UserId {
  const { caller } = context;
  if (named === undefined && caller === undefined) throw missing();
  const userId = named === undefined && caller !== undefined ? caller : validateUserId(named);
  context.userId = caller ?? userId;
  if (caller === undefined || userId === caller) return userId;
  throw new AgnoChatError("FORBIDDEN", `${field} is not your own.`, {
    hint: `Leave out ${field}.`,
  });
}

const missing = (): AgnoChatError =>
  new AgnoChatError("INVALID_USER_ID", "user_id is missing.", {
    hint: "Send it with the request.",
  });

/**
 * The session that a request names; undefined if it names none.
 * @throws {AgnoChatError} `INVALID_SESSION_ID`
 */
export const sessionOf = (named: unknown): SessionId | undefined =>
  named === undefined ? undefined : validateSessionId(named);
