import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { AgnoChatError } from "../errors.js";
import {
  loadEngine,
  SQLITE_NOTADB,
  SQLITE_READONLY,
  SqliteConnection,
  sqliteCode,
} from "./sqlite-driver.js";

/** Marks a file as ours (PRAGMA application_id): "agno" in ASCII. */
const APPLICATION_ID = 0x61676e6f;

/**
 * Every schema version so far, each as the step from the one before; the file's `user_version` counts the steps taken.
 * Only ever append: released steps have run on files that exist.
 *
 * Every key starts with the user, so that one user's rows are reached through that user alone. Counters stand in the rows of
 * users and sessions, so that no figure needs a scan. Ids are short numbers of the file's own, since they stand in
 * every row and index. Texts that may hold any character are JSON texts, times are milliseconds since 1970.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE users (
    user_key INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL UNIQUE,
    next_message_id INTEGER NOT NULL,
    next_session_key INTEGER NOT NULL,
    sessions INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    last_activity INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE sessions (
    user_key INTEGER NOT NULL,
    session_key INTEGER NOT NULL,
    session_id TEXT NOT NULL,
    born INTEGER NOT NULL,
    total INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    runs INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    latest_run_id TEXT,
    last_activity INTEGER NOT NULL,
    PRIMARY KEY (user_key, session_key),
    UNIQUE (user_key, session_id)
  ) STRICT;

  CREATE TABLE messages (
    user_key INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    session_key INTEGER NOT NULL,
    is_system INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    body_json TEXT NOT NULL,
    PRIMARY KEY (user_key, message_id)
  ) STRICT;
  CREATE INDEX messages_by_session ON messages (user_key, session_key, is_system, message_id);

  CREATE TABLE session_states (
    user_key INTEGER NOT NULL,
    session_key INTEGER NOT NULL,
    key_json TEXT NOT NULL,
    value_json TEXT NOT NULL,
    PRIMARY KEY (user_key, session_key, key_json)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE generations (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    generation INTEGER NOT NULL,
    forgotten INTEGER NOT NULL
  ) STRICT;
  INSERT INTO generations VALUES (1, 0, 0);

  CREATE TABLE clears (
    generation INTEGER PRIMARY KEY,
    scope_hash TEXT NOT NULL,
    cleared_at INTEGER NOT NULL
  ) STRICT;
  `,
];

/**
 * The memory file at `path`, ready for use; it is made when missing, with its folder, for the owner's eyes alone.
 * @throws {AgnoChatError} `STORE_FOREIGN` and `STORE_TOO_NEW` (the file is left as it was), `STORE_FAILED`
 */
export async function openMemoryFile(path: string): Promise<SqliteConnection> {
  const engine = await loadEngine();
  createWhenMissing(path);
  await inspect(new SqliteConnection(engine, path, { readOnly: true }));
  const connection = new SqliteConnection(engine, path);
  try {
    await prepare(connection);
  } catch (error) {
    await connection.close();
    throw error;
  }
  return connection;
}

function createWhenMissing(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // Never opened when it exists: closing it would drop the locks SQLite holds on it in this process (POSIX).
    if (existsSync(path)) return;
    closeSync(openSync(path, "a", 0o600));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new AgnoChatError(
      "STORE_FAILED",
      `Cannot make the memory file ${JSON.stringify(path)}: ${code}.`,
      { hint: "Check that its folder is one and that you may write to it.", cause },
    );
  }
}

/** Looks at the file without writing to it, and closes it. */
async function inspect(readOnly: SqliteConnection): Promise<void> {
  try {
    await versionOf(readOnly);
  } catch (error) {
    // A crash left a transaction half-written: only a writer can take it back, and looks again then.
    if (sqliteCode((error as Error).cause) !== SQLITE_READONLY) throw error;
  } finally {
    await readOnly.close();
  }
}

async function prepare(connection: SqliteConnection): Promise<void> {
  const settle = (sql: string): Promise<unknown> => connection.retry(() => connection.exec(sql));
  await settle("PRAGMA synchronous = FULL");
  await settle("PRAGMA secure_delete = ON");
  if ((await versionOf(connection)) < MIGRATIONS.length)
    await connection.write(() => migrate(connection));
  await settle("PRAGMA journal_mode = WAL");
}

function migrate(connection: SqliteConnection): void {
  // Another process may have been faster.
  for (const step of MIGRATIONS.slice(checkedVersion(connection))) connection.exec(step);
  connection.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  connection.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
}

/** The schema version of a file that is ours, or 0 for an empty file. */
async function versionOf(connection: SqliteConnection): Promise<number> {
  try {
    return await connection.read(() => checkedVersion(connection));
  } catch (error) {
    if (sqliteCode((error as Error).cause) === SQLITE_NOTADB) throw foreign(connection.path);
    throw error;
  }
}

function checkedVersion(connection: SqliteConnection): number {
  const { id, version, tables } = connection.get<Record<string, number>>(
    `SELECT (SELECT application_id FROM pragma_application_id) AS id,
            (SELECT user_version FROM pragma_user_version) AS version,
            (SELECT count(*) FROM sqlite_schema) AS tables`,
  ) as { id: number; version: number; tables: number };
  if (id === 0 && version === 0 && tables === 0) return 0;
  if (id !== APPLICATION_ID) throw foreign(connection.path);
  if (version > MIGRATIONS.length) throw tooNew(connection.path, version);
  return version;
}

const foreign = (path: string): AgnoChatError =>
  new AgnoChatError(
    "STORE_FOREIGN",
    `The file ${JSON.stringify(path)} is no agno-chat memory; it was left as it is.`,
    {
      hint: "Name another file.",
    },
  );

const tooNew = (path: string, version: number): AgnoChatError =>
  new AgnoChatError(
    "STORE_TOO_NEW",
    `The memory file ${JSON.stringify(path)} has schema ${version}, newer than ${MIGRATIONS.length}; it was left as it is.`,
    { hint: "Update agno-chat." },
  );
