import type { NamesQuery } from "../../copy-store.js";
import { pathOf } from "./path.js";
import { peekMemoryFile } from "./schema.js";

/** The names from the prefix on; see `knownNames`. Both queries follow an index. */
export async function namesIn(name: string, query: NamesQuery): Promise<readonly string[]> {
  const { sessionsOf, prefix, limit } = query;
  const names =
    sessionsOf === undefined
      ? `SELECT user_id AS name FROM users WHERE user_id >= ${quoted(prefix)}`
      : `SELECT session_id AS name FROM sessions
         WHERE user_key = (SELECT user_key FROM users WHERE user_id = ${quoted(sessionsOf)})
           AND session_id >= ${quoted(prefix)}`;
  const list = `(SELECT json_group_array(name) FROM (${names} ORDER BY 1 LIMIT ${limit}))`;
  const [json] = await peekMemoryFile(pathOf(name), list);
  return JSON.parse(String(json)) as string[];
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
