import type { UserId } from "../../../ids.js";
import type { StoreTokens, TokenRow } from "../../store.js";

/** Keeps tokens in this process. */
export class InMemoryTokens implements StoreTokens {
  readonly #rows = new Map<string, TokenRow>();

  insert(row: TokenRow): void {
    this.#rows.set(row.tokenId, row);
  }

  find(tokenId: string): TokenRow | undefined {
    return this.#rows.get(tokenId);
  }

  list(userId: UserId | undefined): TokenRow[] {
    const rows = [...this.#rows.values()];
    return userId === undefined ? rows : rows.filter((row) => row.userId === userId);
  }

  noteUse(tokenId: string, time: number): void {
    const row = this.#rows.get(tokenId);
    if (row === undefined) return;
    const lastUsedAt = Math.max(time, row.lastUsedAt ?? time);
    this.#rows.set(tokenId, { ...row, lastUsedAt });
  }

  delete(tokenId: string): boolean {
    return this.#rows.delete(tokenId);
  }
}
