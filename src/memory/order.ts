import type { StoredMessage } from "../messages.js";
import type { Page } from "./store.js";

/** For sorting messages of one user, oldest first. */
export const byId = (left: StoredMessage, right: StoredMessage): number => left.id - right.id;

/** As many of these messages, oldest first, as the page may hold, from the end it begins at. */
export function cut(messages: StoredMessage[], { limit, after }: Page): StoredMessage[] {
  if (limit >= messages.length) return messages;
  return after === undefined ? messages.slice(messages.length - limit) : messages.slice(0, limit);
}
