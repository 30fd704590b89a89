import { storedUserId, type UserId } from "../../../ids.js";
import type { TokenRow } from "../../store.js";
import type { SqliteConnection } from "./driver.js";

type Columns = Omit<TokenRow, "userId" | "label" | "expiresAt" | "lastUsedAt"> & {
  readonly userId: string;
  readonly label: string | null;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
};

const SELECT = `
  SELECT token_id AS tokenId, user_id AS userId, hash, label, created_at AS createdAt,
         expires_at AS expiresAt, last_used_at AS lastUsedAt
  FROM tokens`;

const rowOf = ({ userId, label, expiresAt, lastUsedAt, ...columns }: Columns): TokenRow => ({
  ...columns,
  userId: storedUserId(userId),
  label: label ?? undefined,
  expiresAt: expiresAt ?? undefined,
  lastUsedAt: lastUsedAt ?? undefined,
});

export function insertToken(connection: SqliteConnection, row: TokenRow): void {
  connection.run(
    `INSERT INTO tokens (token_id, user_id, hash, label, created_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?)`,
    row.tokenId,
    row.userId,
    row.hash,
    row.label ?? null,
    row.createdAt,
    row.expiresAt ?? null,
  );
}

export function findToken(connection: SqliteConnection, tokenId: string): TokenRow | undefined {
  const columns = connection.get<Columns>(`${SELECT} WHERE token_id = ?`, tokenId);
  return columns && rowOf(columns);
}

/** Of one user or of all, oldest first. */
export const listTokens = (connection: SqliteConnection, userId: UserId | undefined): TokenRow[] =>
  connection
    .all<Columns>(
      `${SELECT} WHERE ?1 IS NULL OR user_id = ?1 ORDER BY created_at, token_id`,
      userId ?? null,
    )
    .map(rowOf);

export const noteTokenUse = (connection: SqliteConnection, tokenId: string, time: number): void =>
  connection.run(
    "UPDATE tokens SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE token_id = ?",
    time,
    tokenId,
  );

/** Returns whether there was one. */
export function deleteToken(connection: SqliteConnection, tokenId: string): boolean {
  const wasThere = findToken(connection, tokenId) !== undefined;
  connection.run("DELETE FROM tokens WHERE token_id = ?", tokenId);
  return wasThere;
}
