import { statSync } from "node:fs";
import { AgnoChatError } from "../../../errors.js";
import {
  type Engine,
  loadEngine,
  peek,
  type ReadMode,
  SqliteConnection,
  type SqlValue,
} from "./driver.js";
import { MemoryFile } from "./file.js";
import { FileChanged, isSqlite, SQLITE_FULL, SQLITE_NOTADB, SqliteError } from "./sqlite-errors.js";

/** Identifies a memory file (PRAGMA application_id): "agno" in ASCII. */
const APPLICATION_ID = 0x61676e6f;

/**
 * One step for each schema version. The file's `user_version` counts the steps it has run. Only
 * append: released steps have already run on existing files.
 *
 * Every key starts with the user, so that one user's rows are reached through that user alone.
 * Counts are columns of `users` and `sessions`, so that none needs a scan. The keys are small
 * numbers local to the file, because every row and index repeats them. Text that may hold any
 * character is stored as JSON text; times are milliseconds since 1970.
 */
export const MIGRATIONS: readonly string[] = [
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
  // One row per scope, indexed by time. From here on, run ids that begin with a quotation mark are
  // stored as JSON text.
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
  // How many deletes there were, how many of them have been cleaned up, and the last row that the
  // clean-up still has to move.
  `
  CREATE TABLE upkeep (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    erased INTEGER NOT NULL,
    cleaned INTEGER NOT NULL,
    moving_to INTEGER NOT NULL
  ) STRICT;
  INSERT INTO upkeep VALUES (1, 0, 0, 0);
  `,
  // What lets users in at a server, of which only a hash is kept; what users may use, and what they
  // have used, by id since clearing a user must not reset it.
  `
  CREATE TABLE tokens (
    token_id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    hash TEXT NOT NULL,
    label TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tokens_by_user ON tokens (user_id);

  CREATE TABLE limits (
    user_id TEXT PRIMARY KEY,
    requests_per_minute INTEGER,
    runs_at_once INTEGER,
    tokens_per_day INTEGER,
    bytes_kept INTEGER
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE spending (
    user_id TEXT PRIMARY KEY,
    day INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    minute INTEGER NOT NULL,
    requests INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX spending_by_day ON spending (day);

  CREATE TABLE runs_under_way (
    user_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, run_id)
  ) STRICT, WITHOUT ROWID;
  `,
  // What the commits with a message have changed of a session state: the value before, NULL if
  // there was none. Those up to the message undo_after are not kept, so not in older files.
  `
  CREATE TABLE state_changes (
    user_key INTEGER NOT NULL,
    session_key INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    key_json TEXT NOT NULL,
    before_json TEXT,
    PRIMARY KEY (user_key, session_key, message_id, key_json)
  ) STRICT, WITHOUT ROWID;

  ALTER TABLE sessions ADD COLUMN undo_after INTEGER NOT NULL DEFAULT 0;
  UPDATE sessions SET undo_after = (
    SELECT coalesce(max(message_id), 0) FROM messages
    WHERE messages.user_key = sessions.user_key AND messages.session_key = sessions.session_key);
  `,
  // Contents of attachments, and which messages use them: by numbers alone, since an index keeps
  // copies of what was deleted.
  `
  CREATE TABLE attachments (
    attachment_key INTEGER PRIMARY KEY,
    user_key INTEGER NOT NULL,
    hash TEXT NOT NULL,
    content BLOB NOT NULL
  ) STRICT;
  CREATE INDEX attachments_by_user ON attachments (user_key);

  CREATE TABLE attachment_uses (
    user_key INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    attachment_key INTEGER NOT NULL,
    PRIMARY KEY (user_key, message_id, attachment_key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX attachment_uses_by_attachment ON attachment_uses (attachment_key);
  `,
  // A search index of long histories, which the first search builds; see search-rows.ts. A block is
  // dropped with the first of its messages that goes, however it goes, and built again by the next
  // search. When rows are moved, SQLite leaves copies of their first 1002 bytes at most; what a
  // part knows of texts is behind those.
  `
  CREATE TABLE search_blocks (
    user_key INTEGER NOT NULL,
    first_id INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    latest INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    PRIMARY KEY (user_key, first_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE search_parts (
    user_key INTEGER NOT NULL,
    first_id INTEGER NOT NULL,
    part INTEGER NOT NULL,
    padding BLOB NOT NULL,
    postings BLOB NOT NULL,
    PRIMARY KEY (user_key, first_id, part)
  ) STRICT, WITHOUT ROWID;

  CREATE TRIGGER parts_go_with_block AFTER DELETE ON search_blocks BEGIN
    DELETE FROM search_parts WHERE user_key = old.user_key AND first_id = old.first_id;
  END;
  CREATE TRIGGER block_goes_with_message AFTER DELETE ON messages WHEN old.user_key > 0 BEGIN
    DELETE FROM search_blocks
      WHERE user_key = old.user_key AND last_id >= old.message_id AND first_id = (
        SELECT max(first_id) FROM search_blocks
        WHERE user_key = old.user_key AND first_id <= old.message_id);
  END;
  CREATE TRIGGER block_goes_with_blanked_message AFTER UPDATE OF user_key ON messages
    WHEN old.user_key > 0 BEGIN
    DELETE FROM search_blocks
      WHERE user_key = old.user_key AND last_id >= old.message_id AND first_id = (
        SELECT max(first_id) FROM search_blocks
        WHERE user_key = old.user_key AND first_id <= old.message_id);
  END;
  `,
  // Parts with numbers for keys, which takes a third of the pages to find one. They are reached
  // through their block alone, and built anew.
  `
  DROP TRIGGER parts_go_with_block;
  DELETE FROM search_blocks;
  DROP TABLE search_parts;
  ALTER TABLE search_blocks ADD COLUMN first_part INTEGER NOT NULL DEFAULT 0;
  CREATE TABLE search_parts (
    part_key INTEGER PRIMARY KEY,
    user_key INTEGER NOT NULL,
    first_id INTEGER NOT NULL,
    padding BLOB NOT NULL,
    postings BLOB NOT NULL
  ) STRICT;

  CREATE TRIGGER parts_go_with_block AFTER DELETE ON search_blocks BEGIN
    DELETE FROM search_parts
      WHERE part_key >= old.first_part AND part_key < old.first_part + old.parts;
  END;
  `,
];

export interface OpenOptions {
  /** Receives one line about the file that its owner should know. */
  readonly notice: (line: string) => void;
}

/**
 * Opens the memory file at `path`. If it is missing, creates it and its folder, accessible only to
 * the owner. If it cannot be written, opens it read-only, without creating files next to it.
 * @throws {AgnoChatError} `STORE_FOREIGN`, `STORE_TOO_NEW` (both leave the file unchanged),
 * `STORE_FAILED`
 */
export async function openMemoryFile(
  path: string,
  { notice }: OpenOptions = { notice: () => {} },
): Promise<SqliteConnection> {
  const file = MemoryFile.ensure(path);
  const engine = await loadEngine();
  await inspect(engine, file);
  const line = file.restrictToOwner();
  if (line !== undefined) notice(line);
  if (!file.isWritable) return openReadOnly(engine, file);
  const connection = new SqliteConnection(engine, path, { check: () => file.assertInPlace() });
  try {
    await prepare(connection);
    return connection;
  } catch (error) {
    await connection.close();
    // A write-ahead log needs an index file, and the disk may have no room for it. The file is
    // looked at again, since a new one has just got its tables.
    if (isSqlite((error as Error).cause, SQLITE_FULL) && !file.hasLog)
      return openReadOnly(engine, MemoryFile.ensure(path), error);
    throw error;
  }
}

async function openReadOnly(
  engine: Engine,
  file: MemoryFile,
  writeRefusal?: unknown,
): Promise<SqliteConnection> {
  const readMode = readModeOf(file);
  const check = checkFor(file, readMode);
  const connection = new SqliteConnection(engine, file.path, { readMode, check, writeRefusal });
  try {
    const version = await connection.read(() => checkedVersion(connection));
    if (version === MIGRATIONS.length) return connection;
    throw writeRefusal ?? outdated(file.path);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

const checkFor =
  (file: MemoryFile, readMode: ReadMode): (() => void) =>
  () => {
    if (readMode === "shared") file.assertInPlace();
    else if (!file.isUnchanged) throw new FileChanged();
  };

const readModeOf = (file: MemoryFile): ReadMode => (file.hasLog ? "shared" : "immutable");

/**
 * Opens a memory file that is there, of any version, and upgrades nothing.
 * @throws {AgnoChatError} as `openMemoryFile`; `STORE_NOT_READY` if there is no file
 */
export async function openAsItIs(path: string): Promise<SqliteConnection> {
  const { engine, file } = await inspected(path);
  if (file.isWritable) return new SqliteConnection(engine, path);
  const readMode = readModeOf(file);
  return new SqliteConnection(engine, path, { readMode, check: checkFor(file, readMode) });
}

/**
 * Evaluates `expressions`, a list of SQL expressions, in a memory file, which stays unchanged.
 * @throws {AgnoChatError} as `openMemoryFile`; `STORE_NOT_READY` if there is no file
 */
export async function peekMemoryFile(
  path: string,
  expressions: string,
): Promise<readonly SqlValue[]> {
  const { engine, file } = await inspected(path);
  return peek(engine, path, { readMode: readModeOf(file), expressions });
}

/** @throws {AgnoChatError} `STORE_NOT_READY` */
export function requireFile(path: string): void {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) throw missing(path);
}

async function inspected(path: string): Promise<{ engine: Engine; file: MemoryFile }> {
  requireFile(path);
  const file = MemoryFile.ensure(path);
  const engine = await loadEngine();
  await inspect(engine, file);
  return { engine, file };
}

/** Checks that this is a memory file, without writing to it. */
async function inspect(engine: Engine, file: MemoryFile): Promise<void> {
  const { path } = file;
  if (file.isOneByte) throw foreign(path);
  const readMode = readModeOf(file);
  try {
    const identity = await peek(engine, path, { readMode, expressions: IDENTITY });
    versionIn(identity, path);
  } catch (error) {
    // After a crash only a writer can recover the file; it checks again then.
    if (file.hasJournal) return;
    if (isNotADatabase(error)) throw foreign(path);
    // So it does if another process has just removed the log that this one was about to read.
    const hadLog = readMode === "shared" || file.hasLog;
    if (isSqliteFailure(error) && hadLog && file.isWritable) return;
    throw error;
  }
}

const isNotADatabase = (error: unknown): boolean => isSqlite((error as Error).cause, SQLITE_NOTADB);

const isSqliteFailure = (error: unknown): boolean => (error as Error).cause instanceof SqliteError;

async function prepare(connection: SqliteConnection): Promise<void> {
  const execute = (sql: string): Promise<unknown> => connection.retry(() => connection.exec(sql));
  await execute("PRAGMA synchronous = FULL");
  await execute("PRAGMA secure_delete = ON");
  await execute("PRAGMA temp_store = MEMORY");
  const version = await connection.read(() => checkedVersion(connection));
  if (version < MIGRATIONS.length) await connection.write(() => migrate(connection));
  await execute("PRAGMA journal_mode = WAL");
}

function migrate(connection: SqliteConnection): void {
  // Reads the version again: another process may have migrated the file meanwhile.
  for (const step of MIGRATIONS.slice(checkedVersion(connection))) connection.exec(step);
  connection.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  connection.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
}

/** SQL expressions that identify a memory file. */
const IDENTITY = `(SELECT application_id FROM pragma_application_id),
                  (SELECT user_version FROM pragma_user_version),
                  (SELECT count(*) FROM sqlite_schema)`;

const checkedVersion = (connection: SqliteConnection): number =>
  versionIn(
    Object.values(connection.get<Record<string, SqlValue>>(`SELECT ${IDENTITY}`) ?? {}),
    connection.path,
  );

/** The schema version of a memory file; 0 for an empty file. */
function versionIn([id, version, tables]: readonly SqlValue[], path: string): number {
  if (id === 0 && version === 0 && tables === 0) return 0;
  if (id !== APPLICATION_ID) throw foreign(path);
  if (Number(version) > MIGRATIONS.length) throw tooNew(path, Number(version));
  return Number(version);
}

const missing = (path: string): AgnoChatError =>
  new AgnoChatError("STORE_NOT_READY", `There is no memory file ${JSON.stringify(path)} yet.`, {
    hint: "The first conversation makes it.",
  });

export const foreign = (path: string): AgnoChatError =>
  new AgnoChatError(
    "STORE_FOREIGN",
    `The file ${JSON.stringify(path)} is not an agno-chat memory; it was left unchanged.`,
    { hint: "Name another file." },
  );

const tooNew = (path: string, version: number): AgnoChatError =>
  new AgnoChatError(
    "STORE_TOO_NEW",
    `The memory file ${JSON.stringify(path)} has schema version ${version}, but this agno-chat ` +
      `knows versions up to ${MIGRATIONS.length}; it was left unchanged.`,
    { hint: "Update agno-chat." },
  );

const outdated = (path: string): AgnoChatError =>
  new AgnoChatError(
    "STORE_FAILED",
    `The memory file ${JSON.stringify(path)} has an older schema and cannot be upgraded: ` +
      "it is read-only here.",
    { hint: "Open it once where it can be written." },
  );
