import { AgnoChatError } from "./errors.js";
import { latePattern } from "./late-pattern.js";

declare const checked: unique symbol;

/** A user id that `validateUserId` has accepted: a plain string cannot stand in for it. */
export type UserId = string & { readonly [checked]: "user" };

/** A session id that `validateSessionId` has accepted. */
export type SessionId = string & { readonly [checked]: "session" };

/** The user of a `Memory` and of the command line when none is named. An agent has no default. */
export const DEFAULT_USER_ID = "default" as UserId;

/** The session used when none is named. */
export const DEFAULT_SESSION_ID = "default" as SessionId;

const MAX_CODE_POINTS = 255;

/**
 * Characters that can make two ids look alike or move text on a screen: controls, line and
 * paragraph separators, and everything Unicode calls default-ignorable (bidi controls, zero-width,
 * filler and tag characters). ZWJ and the two emoji variation selectors are allowed, since emoji
 * need them.
 */
const unsafe = latePattern(
  String.raw`(?![\u200d\ufe0e\ufe0f])[\p{Cc}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]`,
  "u",
);

/** Whether a text holds characters that move or hide text on a screen. */
export const hasUnsafe = (text: string): boolean => unsafe().test(text);

/**
 * Returns the id unchanged if it is valid: 1–255 code points, well-formed, NFC, no surrounding
 * white space, no control or invisible characters. An id is never cleaned up, which could merge two
 * users.
 * @example
 * const request = new Request("http://localhost/chat", { headers: { "x-user": "alice" } });
 * const userId = validateUserId(request.headers.get("x-user"));
 * console.log(userId); // alice
 * @throws {AgnoChatError} `INVALID_USER_ID`
 */
export const validateUserId = (userId: unknown): UserId => validate(userId, USER) as UserId;

/**
 * Like `validateUserId`, for a session id.
 * @example
 * const sessionId = validateSessionId("trip-to-oslo");
 * console.log(sessionId); // trip-to-oslo
 * @throws {AgnoChatError} `INVALID_SESSION_ID`
 */
export const validateSessionId = (sessionId: unknown): SessionId =>
  validate(sessionId, SESSION) as SessionId;

/**
 * Brands an id without checking it. Only for ids read from a store, which were checked when they
 * were stored, and for the users that `verify` makes up.
 */
export const storedUserId = (userId: string): UserId => userId as UserId;

/** Like `storedUserId`, for a session id. */
export const storedSessionId = (sessionId: string): SessionId => sessionId as SessionId;

interface IdKind {
  readonly noun: string;
  readonly code: "INVALID_USER_ID" | "INVALID_SESSION_ID";
  readonly examples: string;
}

const USER: IdKind = {
  noun: "user id",
  code: "INVALID_USER_ID",
  examples: "user-42 or org-acme-user-001",
};

const SESSION: IdKind = {
  noun: "session id",
  code: "INVALID_SESSION_ID",
  examples: "work or trip-to-oslo",
};

/** The fast path: nearly every id looks like this. */
const PLAIN = /^[\w@.:+-]{1,255}$/;

function validate(id: unknown, kind: IdKind): string {
  if (typeof id === "string" && PLAIN.test(id)) return id;
  const fault = faultOf(id);
  if (fault === undefined) return id as string;
  const { noun, code, examples } = kind;
  throw new AgnoChatError(code, `Invalid ${noun} ${quote(id)}: it ${fault}.`, {
    hint: `Use 1–255 visible characters, for example ${examples}.`,
  });
}

function faultOf(id: unknown): string | undefined {
  if (typeof id !== "string") return "is not a string";
  if (id === "") return "is empty";
  // A code point is at most two UTF-16 units, so longer strings need no exact count.
  if (id.length > 2 * MAX_CODE_POINTS || [...id].length > MAX_CODE_POINTS)
    return `is longer than ${MAX_CODE_POINTS} characters`;
  if (!id.isWellFormed()) return "contains half a surrogate pair";
  // Decoders replace unreadable bytes with U+FFFD, which makes different ids equal.
  if (id.includes("\ufffd")) return "contains bytes that are not UTF-8";
  if (hasUnsafe(id)) return "contains a control or invisible character";
  if (id !== id.trim()) return "begins or ends with white space";
  if (id !== id.normalize("NFC")) return "is not in Unicode normal form NFC";
  return undefined;
}

/** Quotes an invalid id as short ASCII JSON, which is safe to print anywhere. */
function quote(id: unknown): string {
  if (typeof id !== "string") return `of type ${id === null ? "null" : typeof id}`;
  const shown = id.length > 40 ? `${id.slice(0, 40)}…` : id;
  return JSON.stringify(shown).replace(
    /[^\x20-\x7e…]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
