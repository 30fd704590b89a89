import type { ExcerptPart, SearchHit, SearchResult } from "../memory/memory.js";
import { sanitise } from "../sanitise.js";
import { ago } from "./ago.js";

/** Where and when a message was said. */
export const hitTitle = ({ sessionId, createdAt }: SearchHit): string =>
  `${sessionId} · ${ago(createdAt)}`;

/** The user's own id, or whatever else said it. */
export const roleOf = ({ role }: SearchHit, userId: string): string =>
  role === "user" ? userId : role;

/** Each part is safe for a terminal, and so are all of them in a row. */
export const safeExcerpt = ({ excerpt }: SearchHit): readonly ExcerptPart[] =>
  excerpt.map((part) => ({ ...part, text: sanitise(part.text) }));

/** @param share How much of the index is built, from 0 to 1. */
export const indexingText = (share: number): string =>
  `Building the search index, once: ${Math.floor(100 * share)} %`;

export const nothingFound = (
  words: string,
  { userId, sessionId }: { readonly userId: string; readonly sessionId?: string | undefined },
): string =>
  `Nothing of ${userId}${sessionId === undefined ? "" : ` in ${sessionId}`} matches: ${words} (attached files are not searched)`;

/** @param flag What shows more. */
export const moreHits = ({ hits, found }: SearchResult, flag: string): string =>
  `The best ${hits.length} of ${found === 1000 ? "1,000 or more" : found}; ${flag} shows more.`;
