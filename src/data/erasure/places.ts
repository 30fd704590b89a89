import { readdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file that may hold texts of a user who was deleted. */
export interface Place {
  readonly what: string;
  readonly path: string;
  /** Whether it is told of even if it is not there. */
  readonly isExpected?: boolean;
}

/** The memory file, and what SQLite puts beside it. */
export const placesOfFile = (path: string): readonly Place[] => [
  { what: "memory file", path, isExpected: true },
  { what: "write-ahead log", path: `${path}-wal`, isExpected: true },
  { what: "index of the log", path: `${path}-shm` },
  { what: "rollback journal", path: `${path}-journal` },
];

/**
 * What a process that was killed may have left: of backups, exports and settings beside them in
 * these folders, of SQLite and of an external editor in the system's folder for such files.
 */
export async function temporaryPlaces(folders: readonly string[]): Promise<readonly Place[]> {
  const temporary = tmpdir();
  const beside = await Promise.all(
    [...new Set(folders)].map((folder) => pathsIn(folder, BESIDE_OTHERS)),
  );
  const editors = await pathsIn(temporary, FOLDER_OF_EDITOR);
  const drafts = await Promise.all(editors.map((folder) => pathsIn(folder, DRAFT)));
  const paths = [...beside.flat(), ...(await pathsIn(temporary, OF_SQLITE)), ...drafts.flat()];
  const own = await Promise.all(paths.map(async (path) => ((await isOwn(path)) ? [path] : [])));
  return own.flat().map((path) => ({ what: "temporary file", path }));
}

/** `.NAME.UUID.tmp`, as `makePrivateFile` calls them, and what SQLite puts beside one. */
const BESIDE_OTHERS = /^\..+\.[0-9a-f-]{36}\.tmp(-wal|-shm|-journal)?$/;
const OF_SQLITE = /^etilqs_/;
const FOLDER_OF_EDITOR = /^agno-chat-[A-Za-z0-9]{6}$/;
/** With copies that editors make of it. */
const DRAFT = /message\.md/;

async function pathsIn(folder: string, pattern: RegExp): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => pattern.test(name)).map((name) => join(folder, name));
}

/** Files of other accounts of the machine are none of this program's. */
async function isOwn(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true && (process.getuid?.() ?? found.uid) === found.uid;
}
