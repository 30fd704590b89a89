import { loadEngine, SqliteConnection } from "./driver.js";
import { headerOf, mendHeader } from "./header.js";
import { pathOf } from "./path.js";
import { foreign, requireFile } from "./schema.js";
import { isSqlite, SQLITE_CONSTRAINT, SqliteError } from "./sqlite-errors.js";

/**
 * The path of a memory file, however damaged it is.
 * @throws {AgnoChatError} `STORE_NOT_READY`, `STORE_FOREIGN`
 */
export function damagedFile(name: string): string {
  const path = pathOf(name);
  requireFile(path);
  const { isSqlite, isMemory } = headerOf(path);
  if (!isSqlite && !isMemory) throw foreign(path);
  return path;
}

/** Whether a store refused a row that no store would have written. */
export const isImpossibleRow = (error: unknown): boolean =>
  isSqlite((error as Error).cause, SQLITE_CONSTRAINT);

/** A user of a damaged memory file. */
export interface Survivor {
  /** As it is stored: a damaged file may hold anything. */
  readonly id: string;
  readonly key: number;
}

/** How many users in a row may be unreadable: more than fit on one damaged page. */
const LONGEST_GAP = 2_000;

/** A copy of a damaged memory file, which is changed to make as much of it readable as possible. */
export class DamagedCopy {
  readonly #connection: SqliteConnection;

  private constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  static async mend(path: string): Promise<DamagedCopy> {
    const engine = await loadEngine();
    const first = new SqliteConnection(engine, path);
    attempt(() => first.emptyLog());
    await first.close();
    mendHeader(path);
    const connection = new SqliteConnection(engine, path);
    // What an index says wrong, the table may still say right.
    for (const table of ["users", "sessions", "messages"])
      attempt(() => connection.exec(`REINDEX ${table}`));
    return new DamagedCopy(connection);
  }

  /** `isWhole`: there are no others. */
  users(): { readonly users: readonly Survivor[]; readonly isWhole: boolean } {
    const users: Survivor[] = [];
    let isWhole = true;
    for (let [key, gap] = [1, 0]; gap < LONGEST_GAP; key += 1) {
      const next = attempt(() => ({ user: this.#connection.get<Survivor>(NEXT_USER, key) }));
      if (next === undefined) {
        isWhole = false;
        gap += 1;
      } else if (next.user === undefined) break;
      else {
        users.push(next.user);
        [key, gap] = [next.user.key, 0];
      }
    }
    return { users, isWhole };
  }

  /** How many users with a session there are besides these. */
  others(users: readonly Survivor[]): number {
    const known = new Set(users.map(({ key }) => key));
    const keys = attempt(() => this.#connection.all<{ key: number }>(SESSION_USERS)) ?? [];
    return keys.filter(({ key }) => !known.has(key)).length;
  }

  /** The ids of all messages of a user, ascending, readable or not; none if nobody can tell. */
  messageIds({ key }: Survivor): readonly number[] {
    const rows = attempt(() => this.#connection.all<{ id: number }>(MESSAGE_IDS, key)) ?? [];
    return rows.map(({ id }) => id);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

const NEXT_USER =
  "SELECT user_key AS key, user_id AS id FROM users WHERE user_key >= ? ORDER BY user_key LIMIT 1";

const SESSION_USERS = "SELECT DISTINCT user_key AS key FROM sessions";

/** Read from an index alone. */
const MESSAGE_IDS = "SELECT message_id AS id FROM messages WHERE user_key = ? ORDER BY message_id";

/** Undefined if SQLite cannot do it with this file. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof SqliteError) return undefined;
    throw error;
  }
}
