import type { StoredMessage } from "../messages.js";
import { charactersOf } from "./measure.js";
import type { Page } from "./store.js";

/** Sorts messages of one user, oldest first. */
export const byId = (left: StoredMessage, right: StoredMessage): number => left.id - right.id;

/** Drops the messages beyond the limits of the page. They must be oldest first. */
export function cutToPage(
  messages: readonly StoredMessage[],
  page: Page,
): readonly StoredMessage[] {
  const count = countThatFit(messages, page);
  if (count === messages.length) return messages;
  return page.after === undefined
    ? messages.slice(messages.length - count)
    : messages.slice(0, count);
}

function countThatFit(messages: readonly StoredMessage[], page: Page): number {
  const most = Math.min(page.limit, messages.length);
  if (page.maxCharacters === Infinity) return most;
  const first = page.after === undefined ? messages.length - 1 : 0;
  const direction = page.after === undefined ? -1 : 1;
  let count = 0;
  for (let characters = 0; count < most && characters <= page.maxCharacters; count += 1)
    characters += charactersOf(messages[first + direction * count] as StoredMessage);
  return count;
}
