import { storedUserId, type UserId } from "../../../ids.js";
import type { StoreTokens, TokenRow } from "../../store.js";
import type { Row, SqlValue } from "./client.js";
import type { Attempt } from "./repeat.js";

/** Calls functions of the schema. */
export interface Calls {
  read(name: string, values: readonly SqlValue[]): Promise<Row[]>;
  write(name: string, valuesOf: (attempt: Attempt) => readonly SqlValue[]): Promise<Row>;
}

/** The tokens of a database. */
export class PostgresTokens implements StoreTokens {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  async insert({ tokenId, userId, hash, label, createdAt, expiresAt }: TokenRow): Promise<void> {
    const values = [tokenId, userId, hash, label ?? null, createdAt, expiresAt ?? null];
    await this.#calls.write("insert_token_v1", () => values);
  }

  async find(tokenId: string): Promise<TokenRow | undefined> {
    const [row] = await this.#calls.read("token_v1", [tokenId]);
    return row && tokenIn(row);
  }

  async list(userId: UserId | undefined): Promise<TokenRow[]> {
    return (await this.#calls.read("tokens_v1", [userId ?? null])).map(tokenIn);
  }

  async noteUse(tokenId: string, time: number): Promise<void> {
    await this.#calls.write("note_token_use_v1", () => [tokenId, time]);
  }

  /** A repeated call may find that an earlier attempt has deleted it. */
  async delete(tokenId: string): Promise<boolean> {
    let isRepeated = false;
    const [wasThere] = await this.#calls.write("delete_token_v1", ({ isRepeat }) => {
      isRepeated = isRepeat;
      return [tokenId];
    });
    return wasThere === true || isRepeated;
  }
}

type Columns = readonly [
  tokenId: string,
  userId: string,
  hash: string,
  label: string | null,
  createdAt: number,
  expiresAt: number | null,
  lastUsedAt: number | null,
];

function tokenIn(row: Row): TokenRow {
  const [tokenId, userId, hash, label, createdAt, expiresAt, lastUsedAt] = row as Columns;
  return {
    ...{ tokenId, userId: storedUserId(userId), hash, label: label ?? undefined, createdAt },
    expiresAt: expiresAt ?? undefined,
    lastUsedAt: lastUsedAt ?? undefined,
  };
}
