import { AgnoChatError } from "../errors.js";
import { validateSessionId, validateUserId } from "../ids.js";
import type { Exchange } from "./exchange.js";

/**
 * Whose data a request is about: the caller's own, or the user an anonymous caller names.
 * @throws {AgnoChatError} `INVALID_USER_ID`, `FORBIDDEN` for a user the caller is not
 */
export function userOf(exchange: Exchange, named: unknown): string {
  const { caller } = exchange;
  if (named === undefined && caller === undefined) throw missing();
  const userId = named === undefined && caller !== undefined ? caller : validateUserId(named);
  exchange.userId = userId;
  if (caller === undefined || userId === caller) return userId;
  throw new AgnoChatError("FORBIDDEN", "You may only ask as yourself.", {
    hint: "Leave out user_id.",
  });
}

const missing = (): AgnoChatError =>
  new AgnoChatError("INVALID_USER_ID", "user_id is missing.", { hint: "Say who is asking." });

/** @throws {AgnoChatError} `INVALID_SESSION_ID` */
export const sessionOf = (named: unknown): string | undefined =>
  named === undefined ? undefined : validateSessionId(named);
