import type { UserId } from "../../../ids.js";
import type { OtherRows } from "../../store-report.js";
import { openDatabase } from "./open-database.js";
import { storeFailed } from "./postgres-errors.js";
import { TABLES_OF_USERS } from "./schema/erasure.js";
import { nameOf, parseDatabaseUrl } from "./url.js";

export interface KeptRows extends OtherRows {
  /** Rows of the user that belong to no session, message or block of theirs. */
  readonly strays: number;
}

/**
 * What there is of a user besides messages and sessions.
 * @throws {AgnoChatError} `STORE_…`
 */
export async function keptIn(url: string, userId: UserId): Promise<KeptRows> {
  const address = parseDatabaseUrl(url);
  try {
    const database = await openDatabase(address);
    try {
      const [row = []] = await database.call("kept_v1", [userId]);
      const [stateValues = 0, stateChanges = 0, attachments = 0, searchBlocks = 0, strays = 0] =
        row as readonly number[];
      return { stateValues, stateChanges, attachments, searchBlocks, strays };
    } finally {
      await database.close();
    }
  } catch (error) {
    throw storeFailed(nameOf(address), error);
  }
}

/** The tables of users, as SQL names them. */
export const tablesOfUsers = (): readonly string[] =>
  TABLES_OF_USERS.map((table) => `agno_chat.${table}`);
