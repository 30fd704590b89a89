import { createHash } from "node:crypto";
import { CLEARS_KEPT, CLEARS_KEPT_MS, type Continued, scopeOf } from "./clears.js";
import type { SqliteConnection } from "./sqlite-driver.js";

/** As `ClearLog`, in a file. A scope is kept as its hash, so that nobody who was cleared is still named there. */
export const currentGeneration = (connection: SqliteConnection): number =>
  generationsOf(connection).generation;

/** Inside a writing transaction, like the rest. */
export function recordClears(
  connection: SqliteConnection,
  scopes: readonly string[],
  time: number,
): void {
  let { generation } = generationsOf(connection);
  for (const scope of scopes) {
    generation += 1;
    connection.run("INSERT INTO clears VALUES (?, ?, ?)", generation, hashOf(scope), time);
  }
  connection.run("UPDATE generations SET generation = ?", generation);
  forget(connection, generation - CLEARS_KEPT, time - CLEARS_KEPT_MS);
}

export function recordClearOfAll(connection: SqliteConnection): void {
  connection.run("DELETE FROM clears");
  connection.run("UPDATE generations SET generation = generation + 1, forgotten = generation + 1");
}

/** Whether the session, or all of its user, was cleared after the generation that was read, as far as is known. */
export function wasCleared(
  connection: SqliteConnection,
  { userId, sessionId, born, generation: since }: Continued,
): boolean {
  // A session that was there by then and still is was not cleared in between.
  if (since === undefined || (born !== undefined && born <= since)) return false;
  const { generation, forgotten } = generationsOf(connection);
  if (since < forgotten || since > generation) return true;
  const clear = connection.get(
    "SELECT generation FROM clears WHERE generation > ? AND scope_hash IN (?, ?) LIMIT 1",
    since,
    hashOf(scopeOf(userId)),
    hashOf(scopeOf(userId, sessionId)),
  );
  return clear !== undefined;
}

function forget(connection: SqliteConnection, generation: number, time: number): void {
  const { forgotten } = connection.get<{ forgotten: number | null }>(
    "SELECT max(generation) AS forgotten FROM clears WHERE generation <= ? OR cleared_at < ?",
    generation,
    time,
  ) ?? { forgotten: null };
  if (forgotten === null) return;
  connection.run("DELETE FROM clears WHERE generation <= ?", forgotten);
  connection.run("UPDATE generations SET forgotten = ?", forgotten);
}

const generationsOf = (connection: SqliteConnection): { generation: number; forgotten: number } =>
  connection.get("SELECT generation, forgotten FROM generations") ?? {
    generation: 0,
    forgotten: 0,
  };

const hashOf = (scope: string): string => createHash("sha256").update(scope).digest("base64url");
