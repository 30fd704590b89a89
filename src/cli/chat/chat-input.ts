import { type UserId, validateUserId } from "../../ids.js";
import { parseJson } from "../../json.js";

/** One input of the REPL: a message for the model, or a command and its argument. */
export type Input =
  | { readonly kind: "message"; readonly text: string }
  | { readonly kind: "command"; readonly name: string; readonly argument: string };

/** Commands that need no slash if nothing else is on the line. */
const BARE_COMMANDS: ReadonlyMap<string, string> = new Map([
  ...["exit", "quit", "bye", ":q", ":q!", ":wq"].map((word) => [word, "exit"] as const),
  ["help", "help"],
]);

/**
 * White space that a keyboard types: it separates words, so it is no part of an id. Any other, such
 * as a byte order mark, stays in the id, which is then refused.
 */
const SPACES = " \t\r\n\u00a0\u3000";
const COMMAND = new RegExp(`^/([^${SPACES}/]+)(?:[${SPACES}]+([\\s\\S]*))?$`);
const QUOTED = '"(?:[^"\\\\]|\\\\.)*"';
const ASIDE = new RegExp(`^(${QUOTED}|[^${SPACES}"][^${SPACES}]*)[${SPACES}]+([\\s\\S]+)$`);
const NEEDS_QUOTES = new RegExp(`^"|[${SPACES}]`);

/**
 * A line is a command if its first word has one leading slash, or if it is only `help`, `bye` or
 * the like. A path (`/usr/bin`) is text, and `//x` is the text `/x`.
 * @param literal True for pasted text and blocks, which are never commands.
 */
export function parseInput(text: string, literal = false): Input {
  const trimmed = trimTyped(text);
  if (literal) return { kind: "message", text };
  const bare = BARE_COMMANDS.get(trimmed);
  if (bare !== undefined) return { kind: "command", name: bare, argument: "" };
  if (trimmed.startsWith("//")) return { kind: "message", text: trimmed.slice(1) };
  const [, name, argument = ""] = COMMAND.exec(trimmed) ?? [];
  if (name === undefined) return { kind: "message", text };
  return { kind: "command", name, argument };
}

/** Whether `text` would be sent as it is without a block around it. */
export const isPlainText = (text: string): boolean =>
  !text.trimStart().startsWith("/") && parseInput(text).kind === "message";

/** What `/as` sends, and as whom. */
export interface Aside {
  readonly userId: UserId;
  readonly message: string;
}

/**
 * Parses the argument of `/as`: a user id, in quotes as JSON if it holds spaces, and a message.
 * Undefined when either is missing.
 * @throws {AgnoChatError} `INVALID_USER_ID`
 */
export function parseAside(argument: string): Aside | undefined {
  const [, user, message] = ASIDE.exec(argument) ?? [];
  if (user === undefined || message === undefined) return undefined;
  const name = user.startsWith('"') ? parseJson(user) : user;
  return name === undefined ? undefined : { userId: validateUserId(name), message };
}

/** A user id as `/as` takes it. */
export const asideName = (userId: string): string =>
  NEEDS_QUOTES.test(userId) ? JSON.stringify(userId) : userId;

/** Trims white space that a keyboard types. A pattern would be quadratic in a long text. */
export function trimTyped(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && SPACES.includes(text.charAt(start))) start += 1;
  while (end > start && SPACES.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}
