import { AgnoChatError } from "../../errors.js";
import type { UserId } from "../../ids.js";
import type { StoredMessage } from "../../messages.js";
import { finiteCountOf, optionalSessionIdOf } from "../arguments.js";
import type { Awaitable, SearchHit, SearchOptions, SearchResult } from "../memory.js";
import type { Store, Wanted } from "../store.js";
import { excerptOf } from "./excerpt.js";
import { Found } from "./found.js";
import { Query } from "./query.js";

/** How many messages are ranked, the newest. */
const MOST_RANKED = 1_000;

const DEFAULT_LIMIT = 10;

/** Messages that are read at once, where there is no index. */
const PAGE = { limit: 500, maxCharacters: 1_000_000, after: undefined };

interface Search extends Wanted {
  readonly limit: number;
}

/** @throws {AgnoChatError} `INVALID_INPUT`, `INVALID_SESSION_ID` */
export function searchOf(words: string, options: SearchOptions): Search {
  const { since = Number.NEGATIVE_INFINITY, limit = DEFAULT_LIMIT, signal, onIndexing } = options;
  if (typeof since !== "number" || Number.isNaN(since))
    throw new AgnoChatError("INVALID_INPUT", "since is not a number of milliseconds since 1970.");
  if (limit < 1 || limit > MOST_RANKED || finiteCountOf(limit, "limit") !== limit)
    throw new AgnoChatError("INVALID_INPUT", `Invalid limit ${limit}: it is not 1 to 1,000.`);
  const query = new Query(words);
  const how = { most: MOST_RANKED, limit, signal, onIndexing };
  return { query, sessionId: optionalSessionIdOf(options), since, ...how };
}

/** Ranks what the store finds. */
export function searchIn(store: Store, userId: UserId, search: Search): Awaitable<SearchResult> {
  const found = store.search?.(userId, search) ?? scan(store, userId, search);
  return found instanceof Promise
    ? found.then((messages) => ranked(messages, search))
    : ranked(found, search);
}

/** Reads the history page by page, from its end. */
function scan(store: Store, userId: UserId, wanted: Wanted): Awaitable<readonly StoredMessage[]> {
  const found = new Found(wanted);
  const { sessionId } = wanted;
  const pageBefore = (before: number) => store.page(userId, { sessionId, before, ...PAGE });
  const scanAsync = async (first: Promise<readonly StoredMessage[]>) => {
    let before = found.takePage(await first);
    while (before !== undefined) before = found.takePage(await pageBefore(before));
    return found.messages;
  };
  for (let before: number | undefined = Infinity; before !== undefined; ) {
    const page = pageBefore(before);
    if (page instanceof Promise) return scanAsync(page);
    before = found.takePage(page);
  }
  return found.messages;
}

/** Best first. The messages are newest first, and stay so where they fit equally well. */
function ranked(messages: readonly StoredMessage[], { query, limit }: Search): SearchResult {
  const best = messages
    .map((message) => ({ message, fit: query.fitOf(message.content) }))
    .sort((left, right) => right.fit - left.fit)
    .slice(0, limit);
  return { hits: best.map(({ message }) => hitOf(message, query)), found: messages.length };
}

const hitOf = (
  { id, runId, sessionId, role, createdAt, content }: StoredMessage,
  { terms }: Query,
): SearchHit => ({ id, runId, sessionId, role, createdAt, excerpt: excerptOf(content, terms) });
