import { closeSync, existsSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { AgnoChatError } from "../../../errors.js";
import { type Engine, loadEngine, peek, SqliteConnection, type SqlValue } from "./driver.js";
import { isSqlite, SQLITE_NOTADB } from "./errors.js";

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
  // One row per scope, found by it and by its age. Run ids that begin with a quotation mark are JSON texts from here on.
  `
  CREATE TABLE latest_clears (
    scope_hash TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    cleared_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO latest_clears
    SELECT scope_hash, max(generation), max(cleared_at) FROM clears GROUP BY scope_hash;
  DROP TABLE clears;
  ALTER TABLE latest_clears RENAME TO clears;
  CREATE INDEX clears_by_time ON clears (cleared_at);

  UPDATE messages SET run_id = json_quote(run_id) WHERE run_id GLOB '"*';
  UPDATE sessions SET latest_run_id = json_quote(latest_run_id) WHERE latest_run_id GLOB '"*';
  `,
  // How many deletes there were, how many of them have been cleaned up after, and up to which row messages are to move.
  `
  CREATE TABLE upkeep (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    erased INTEGER NOT NULL,
    cleaned INTEGER NOT NULL,
    moving_to INTEGER NOT NULL
  ) STRICT;
  INSERT INTO upkeep VALUES (1, 0, 0, 0);
  `,
];

/**
 * The memory file at `path`, ready for use; it is made when missing, with its folder, for the owner's eyes alone.
 * @throws {AgnoChatError} `STORE_FOREIGN` and `STORE_TOO_NEW` (the file is left as it was), `STORE_FAILED`
 */
export async function openMemoryFile(path: string): Promise<SqliteConnection> {
  const engine = await loadEngine();
  createWhenMissing(path);
  await inspect(engine, path);
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

/** Looks at the file without writing to it. */
async function inspect(engine: Engine, path: string): Promise<void> {
  const hasLog = sizeOf(`${path}-wal`) > 0;
  try {
    const marks = await peek(engine, { path, isAtRest: !hasLog }, MARKS);
    versionIn(marks, path);
  } catch (error) {
    // A crash left a transaction half-written: only a writer can take it back, and looks again then.
    if (sizeOf(`${path}-journal`) > 0) return;
    throw isNoDatabase(error) ? foreign(path) : error;
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

const isNoDatabase = (error: unknown): boolean => isSqlite((error as Error).cause, SQLITE_NOTADB);

async function prepare(connection: SqliteConnection): Promise<void> {
  const settle = (sql: string): Promise<unknown> => connection.retry(() => connection.exec(sql));
  await settle("PRAGMA synchronous = FULL");
  await settle("PRAGMA secure_delete = ON");
  await settle("PRAGMA temp_store = MEMORY");
  const version = await connection.read(() => checkedVersion(connection));
  if (version < MIGRATIONS.length) await connection.write(() => migrate(connection));
  await settle("PRAGMA journal_mode = WAL");
}

function migrate(connection: SqliteConnection): void {
  // Another process may have been faster.
  for (const step of MIGRATIONS.slice(checkedVersion(connection))) connection.exec(step);
  connection.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  connection.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
}

/** What tells whose file it is, as SQL expressions. */
const MARKS = `(SELECT application_id FROM pragma_application_id),
               (SELECT user_version FROM pragma_user_version),
               (SELECT count(*) FROM sqlite_schema)`;

const checkedVersion = (connection: SqliteConnection): number =>
  versionIn(
    Object.values(connection.get<Record<string, SqlValue>>(`SELECT ${MARKS}`) ?? {}),
    connection.path,
  );

/** The schema version of a file that is ours, or 0 for an empty file. */
function versionIn([id, version, tables]: readonly SqlValue[], path: string): number {
  if (id === 0 && version === 0 && tables === 0) return 0;
  if (id !== APPLICATION_ID) throw foreign(path);
  if (Number(version) > MIGRATIONS.length) throw tooNew(path, Number(version));
  return Number(version);
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
