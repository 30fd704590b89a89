import type { NamesQuery } from "../../copy-store.js";
import { Database } from "./client.js";
import { parseDatabaseUrl } from "./url.js";

/** How long the server may take to connect, and to answer. */
const PATIENCE_MS = 1_000;

/** The names from the prefix on; see `knownNames`. */
export async function namesIn(url: string, query: NamesQuery): Promise<readonly string[]> {
  const patience = { connectMs: PATIENCE_MS, callMs: PATIENCE_MS };
  const database = await Database.at(parseDatabaseUrl(url), patience);
  try {
    const { sessionsOf, prefix, limit } = query;
    const rows =
      sessionsOf === undefined
        ? await database.call("users_v1", [justBefore(prefix), limit])
        : await database.call("session_names_v1", [sessionsOf, justBefore(prefix), limit]);
    return rows.map(([name]) => name as string);
  } finally {
    await database.close();
  }
}

/** Sorts before every name that begins with `prefix`, and after the others that come before. */
function justBefore(prefix: string): string {
  const characters = Array.from(prefix);
  const last = characters.pop()?.codePointAt(0) ?? 0;
  // Below U+E000 are the surrogates, which are no characters.
  const below = last === 0xe000 ? 0xd7ff : last - 1;
  return last === 0 ? "" : `${characters.join("")}${String.fromCodePoint(below)}\u{10ffff}`;
}
