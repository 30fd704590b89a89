import { AgnoChatError } from "../../../errors.js";
import {
  type Engine,
  loadEngine,
  peek,
  type Reading,
  SqliteConnection,
  type SqlValue,
} from "./driver.js";
import { MemoryFile } from "./file.js";
import { FileChanged, isSqlite, SQLITE_FULL, SQLITE_NOTADB, SqliteError } from "./sqlite-errors.js";

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

export interface OpenOptions {
  /** Takes one line about something its owner should know of the file. */
  readonly notice: (line: string) => void;
}

/**
 * The memory file at `path`, ready for use; it is made when missing, with its folder, for the owner's eyes alone. Where
 * it cannot be written it can be read, and no file is made beside it.
 * @throws {AgnoChatError} `STORE_FOREIGN` and `STORE_TOO_NEW` (the file is left as it was), `STORE_FAILED`
 */
export async function openMemoryFile(
  path: string,
  { notice }: OpenOptions = { notice: () => {} },
): Promise<SqliteConnection> {
  const file = MemoryFile.at(path);
  if (file.isOneByte) throw foreign(path);
  const engine = await loadEngine();
  await inspect(engine, file);
  const line = file.closeToOthers();
  if (line !== undefined) notice(line);
  if (!file.isWritable) return openToRead(engine, file);
  const connection = new SqliteConnection(engine, path, { check: () => file.assertInPlace() });
  try {
    await prepare(connection);
    return connection;
  } catch (error) {
    await connection.close();
    // Reading needs an index beside the file, and there may be no room for it.
    if (isSqlite((error as Error).cause, SQLITE_FULL) && !file.hasLog)
      return openToRead(engine, file, error);
    throw error;
  }
}

/** The file as it is. `refusal` is what whoever writes is told. */
async function openToRead(
  engine: Engine,
  file: MemoryFile,
  refusal?: unknown,
): Promise<SqliteConnection> {
  const reading = readingOf(file);
  const check =
    reading === "at-rest"
      ? () => {
          if (!file.isAsOpened) throw new FileChanged();
        }
      : () => file.assertInPlace();
  const connection = new SqliteConnection(engine, file.path, { reading, check, refusal });
  try {
    const version = await connection.read(() => checkedVersion(connection));
    if (version === MIGRATIONS.length) return connection;
    throw outdated(file.path);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

const readingOf = (file: MemoryFile): Reading => (file.hasLog ? "with-log" : "at-rest");

/** Looks at the file without writing to it. */
async function inspect(engine: Engine, file: MemoryFile): Promise<void> {
  const { path } = file;
  try {
    const marks = await peek(engine, path, { reading: readingOf(file), values: MARKS });
    versionIn(marks, path);
  } catch (error) {
    // A crash left something half-done: only a writer can take it back or in, and looks again then.
    if (file.hasJournal) return;
    if (isNoDatabase(error)) throw foreign(path);
    if (isSqliteFailure(error) && file.hasLog && file.isWritable) return;
    throw error;
  }
}

const isNoDatabase = (error: unknown): boolean => isSqlite((error as Error).cause, SQLITE_NOTADB);

const isSqliteFailure = (error: unknown): boolean => (error as Error).cause instanceof SqliteError;

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

const outdated = (path: string): AgnoChatError =>
  new AgnoChatError(
    "STORE_FAILED",
    `The memory file ${JSON.stringify(path)} was made by an older version and cannot be brought up to date: it is read-only here.`,
    { hint: "Use it once where it can be written." },
  );
