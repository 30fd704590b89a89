import type { StoredMessage } from "../messages.js";

/** For sorting messages of one user, oldest first. */
export const byId = (left: StoredMessage, right: StoredMessage): number => left.id - right.id;

/** The last `count` of them. */
export const last = <Item>(items: Item[], count: number): Item[] =>
  count >= items.length ? items : items.slice(items.length - count);
