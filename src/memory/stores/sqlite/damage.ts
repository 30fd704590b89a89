import { statSync } from "node:fs";
import { type Finding, ok, unsafe } from "../../store-report.js";
import { headerOf } from "./header.js";
import { peekMemoryFile } from "./schema.js";
import {
  isSqlite,
  SQLITE_CONSTRAINT,
  SQLITE_CORRUPT,
  SQLITE_ERROR,
  SQLITE_NOTADB,
} from "./sqlite-errors.js";

/**
 * Whether a memory file is whole, and its counts are those of its rows. Quotes nothing that is
 * stored.
 */
export async function damageIn(path: string): Promise<readonly Finding[]> {
  const { isSqlite: isReadable, isMemory } = headerOf(path);
  if (isMemory && !isReadable) return [damaged(path, "the beginning of the file is overwritten")];
  const cut = cutIn(path);
  if (cut !== undefined) return [damaged(path, cut)];
  const integrity = await unlessDamaged(path, FAULTS);
  if (integrity === undefined) return [damaged(path, "the file is damaged, and cannot be read")];
  const [faults, version] = integrity.map(Number) as [number, number];
  if (faults > 0) return [damaged(path, `the file is damaged in ${placesText(faults)}`)];
  const whole = ok("integrity", "SQLite finds no damage");
  return version === 0 ? [whole] : [whole, countsOf(path, await unlessDamaged(path, COUNTS))];
}

/** SQLite names at most 100 faults. */
const FAULTS = `
  (SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'),
  (SELECT user_version FROM pragma_user_version)`;

const placesText = (faults: number): string =>
  faults === 1 ? "one place" : `${faults < 100 ? "" : "at least "}${faults} places`;

/** A file with a log may be longer than it says itself. */
function cutIn(path: string): string | undefined {
  const { bytes } = headerOf(path);
  const { size } = statSync(path);
  if (size >= bytes || sizeOf(`${path}-wal`) > 0) return undefined;
  return `the file is cut off: it has ${size} of ${bytes} bytes`;
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** Rows that nobody can reach, texts that are no messages, and counts that differ from the rows. */
const COUNTS = `
  (SELECT count(*) FROM messages WHERE user_key <> 0 AND NOT EXISTS (
     SELECT 1 FROM sessions JOIN users USING (user_key)
     WHERE sessions.user_key = messages.user_key AND sessions.session_key = messages.session_key)),
  (SELECT count(*) FROM messages WHERE user_key <> 0 AND NOT json_valid(body_json)),
  (SELECT count(*) FROM users WHERE
     messages <> (SELECT count(*) FROM messages WHERE messages.user_key = users.user_key)
     OR sessions <> (SELECT count(*) FROM sessions WHERE sessions.user_key = users.user_key)
     OR next_message_id <= (SELECT coalesce(max(message_id), 0) FROM messages
                            WHERE messages.user_key = users.user_key)
     OR messages <> (SELECT coalesce(sum(messages), 0) FROM sessions
                     WHERE sessions.user_key = users.user_key))`;

function countsOf(path: string, counts: readonly unknown[] | undefined): Finding {
  const about = "rows";
  const [lost = 0, unreadable = 0, wrong = 0] = (counts ?? []).map(Number);
  const faults = [
    counts === undefined ? "they cannot be counted" : "",
    lost > 0 ? `${lost} of them belong to nobody` : "",
    unreadable > 0 ? `${unreadable} of them are no messages` : "",
    wrong > 0 ? `the counts of ${wrong} users are wrong` : "",
  ].filter((fault) => fault !== "");
  if (faults.length === 0) return ok(about, "every message belongs to somebody and is counted");
  const text = `another program has changed them: ${faults.join(", ")}`;
  return unsafe(about, text, { hint: hintFor(path) });
}

const damaged = (path: string, text: string): Finding =>
  unsafe("integrity", text, { hint: hintFor(path) });

function hintFor(path: string): string {
  const log = `${path}-wal`;
  const store = JSON.stringify(`sqlite:${path}`);
  const moved =
    sizeOf(log) > 0
      ? ""
      : `If it was moved without its log, put ${JSON.stringify(log)} beside it again. `;
  return `${moved}Restore a backup, or save who can be read: agno-chat store salvage NEW-FILE --store ${store}`;
}

/** Undefined where SQLite finds no file that this code would have written. */
async function unlessDamaged(
  path: string,
  expressions: string,
): Promise<readonly unknown[] | undefined> {
  try {
    return await peekMemoryFile(path, expressions);
  } catch (error) {
    if (isSqlite((error as Error).cause, ...DAMAGED)) return undefined;
    throw error;
  }
}

const DAMAGED = [SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_ERROR, SQLITE_CONSTRAINT] as const;
