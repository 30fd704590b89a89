import type { RequestHead } from "./request-context.js";

/** Longer than any token; a header may have 16 kB. */
const MOST_CHARACTERS = 8_192;

/**
 * The bearer token of a request (RFC 6750, section 2.1); undefined without exactly one. A token in
 * the query or in a cookie does not count: the one is logged everywhere, the other is sent by any
 * page.
 */
export function bearerOf({ headers, raw }: RequestHead): string | undefined {
  const { authorization = "" } = headers;
  // Of two headers, Node keeps the first, and a proxy may look at the other one.
  if ("rawHeaders" in raw && countOf("authorization", raw.rawHeaders) > 1) return undefined;
  if (authorization.length > MOST_CHARACTERS) return undefined;
  return /^bearer +([\w.~+/-]+=*)$/i.exec(authorization)?.[1];
}

/** How often a header is there; names and values alternate. */
const countOf = (name: string, raw: readonly string[]): number =>
  raw.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length;
