import { CLEARS_KEPT_MS, type ClearRecord } from "../../clear-log.js";
import type { SqliteConnection } from "./driver.js";
import { forgetSpending } from "./limit-rows.js";

/** The clear record of a memory file. */
export const clearRecordOf = (connection: SqliteConnection): ClearRecord => ({
  generations: () => generationsOf(connection),
  latest: (scope) =>
    connection.get<{ generation: number }>(
      "SELECT generation FROM clears WHERE scope_hash = ?",
      scope,
    )?.generation,
});

export const currentGeneration = (connection: SqliteConnection): number =>
  generationsOf(connection).generation;

/** Must run inside a write transaction, like `recordClearOfAll`. */
export function recordClears(
  connection: SqliteConnection,
  scopes: readonly string[],
  time: number,
): void {
  let generation = currentGeneration(connection);
  for (const scope of scopes) {
    generation += 1;
    connection.run(
      `INSERT INTO clears (scope_hash, generation, cleared_at) VALUES (?, ?, ?)
       ON CONFLICT (scope_hash)
       DO UPDATE SET generation = excluded.generation, cleared_at = excluded.cleared_at`,
      scope,
      generation,
      time,
    );
  }
  connection.run("UPDATE generations SET generation = ?", generation);
  forgetBefore(connection, time - CLEARS_KEPT_MS);
  forgetSpending(connection, time);
}

export function recordClearOfAll(connection: SqliteConnection): void {
  connection.run("DELETE FROM clears");
  connection.run("UPDATE generations SET generation = generation + 1, forgotten = generation + 1");
}

function forgetBefore(connection: SqliteConnection, oldest: number): void {
  const old = connection.get<{ generation: number | null }>(
    "SELECT max(generation) AS generation FROM clears WHERE cleared_at < ?",
    oldest,
  );
  if (old === undefined || old.generation === null) return;
  connection.run("DELETE FROM clears WHERE cleared_at < ?", oldest);
  connection.run("UPDATE generations SET forgotten = max(forgotten, ?)", old.generation);
}

const generationsOf = (connection: SqliteConnection): { generation: number; forgotten: number } =>
  connection.get("SELECT generation, forgotten FROM generations") ?? {
    generation: 0,
    forgotten: 0,
  };
