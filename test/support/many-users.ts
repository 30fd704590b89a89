import { openMemoryFile } from "../../src/memory/stores/sqlite/schema.js";
import { ask } from "./postgres.js";

export interface ManyUsers {
  readonly count: number;
  /** Messages of each user. Default: 2. */
  readonly messages?: number;
}

interface ManySessions extends ManyUsers {
  /** Sessions of each user, each with that many messages. Default: 1, whose name is `default`. */
  readonly sessions?: number;
}

/** The last activity of the first user; each of the others was active a second after another. */
export const FIRST_ACTIVITY = 1_700_000_000_000;

/** A prime, so that the order of the ids is another one than that of the rows. */
const STEP = 7_919;

const BODY = `{"role":"user","content":"${"x".repeat(400)}"}`;

/**
 * Adds users to an empty database with the schema, faster than a memory would. The URL is that of a
 * superuser.
 */
export async function fillPostgres(
  url: string,
  { count, messages = 2, sessions = 1 }: ManySessions,
): Promise<void> {
  const bytes = BODY.length + 100;
  await ask(
    url,
    `INSERT INTO agno_chat.users
       SELECT 'user-' || lpad((i::bigint * ${STEP} % ${count})::text, 8, '0'),
         ${messages * sessions + 1}, ${sessions + 1}, ${sessions}, ${messages * sessions},
         ${FIRST_ACTIVITY} + i * 1000
       FROM generate_series(0, ${count - 1}) i;
     INSERT INTO agno_chat.sessions
       SELECT user_id, ${sessions === 1 ? "'default'" : "'session-' || (s - 1)"}, s, 0,
         ${messages}, ${messages}, ${messages}, ${bytes * messages}, last_activity, '"run"', '{}'
       FROM agno_chat.users, generate_series(1, ${sessions}) s;
     INSERT INTO agno_chat.messages
       SELECT user_id, (m - 1) / ${messages} + 1, m, last_activity, ${bytes}, 400, NULL, 'user',
         '"run"', '${BODY}'
       FROM generate_series(1, ${messages * sessions}) m, agno_chat.users;
     ANALYZE agno_chat.users, agno_chat.sessions, agno_chat.messages`,
  );
}

/** The same for a memory file. */
export async function fillSqlite(
  path: string,
  { count, messages = 2, sessions = 1 }: ManySessions,
): Promise<void> {
  const connection = await openMemoryFile(path);
  const bytes = BODY.length + 100;
  const numbers = (from: number, to: number): string =>
    `(WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${to})
      SELECT i FROM n)`;
  await connection.write(() =>
    connection.exec(
      `INSERT INTO users
         SELECT i + 1, 'user-' || printf('%08d', i * ${STEP} % ${count}),
           ${messages * sessions + 1}, ${sessions + 1}, ${sessions}, ${messages * sessions},
           ${FIRST_ACTIVITY} + i * 1000
         FROM ${numbers(0, count - 1)};
       INSERT INTO sessions (user_key, session_key, session_id, born, total, messages, runs, bytes,
                             latest_run_id, last_activity)
         SELECT user_key, s.i, ${sessions === 1 ? "'default'" : "'session-' || (s.i - 1)"}, 0,
           ${messages}, ${messages}, ${messages}, ${bytes * messages}, 'run', last_activity
         FROM users, ${numbers(1, sessions)} s;
       INSERT INTO messages (user_key, message_id, session_key, is_system, run_id, created_at,
                             body_json)
         SELECT user_key, m.i, (m.i - 1) / ${messages} + 1, 0, 'run', last_activity, '${BODY}'
         FROM users, ${numbers(1, messages * sessions)} m`,
    ),
  );
  await connection.close();
}
