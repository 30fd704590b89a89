import { readFileSync } from "node:fs";
import type { Pool, PoolClient } from "pg";
import { AgnoChatError } from "../../../errors.js";
import { systemReason } from "../../../system-errors.js";
import { isPostgres, PostgresError, postgresError } from "./postgres-errors.js";
import { type DatabaseAddress, nameOf, type TlsFiles } from "./url.js";

/** The most connections that are open at once. */
const CONNECTIONS = 10;

/** The time limits for connecting and for a call. */
const CONNECT_MS = 10_000;
const CALL_MS = 60_000;

/** Raised by a function of the schema that must not run at this isolation level. */
const OLD_SNAPSHOT = "AG003";

export type SqlValue =
  | string
  | number
  | boolean
  | null
  | readonly (string | number | Uint8Array | null)[];

/** A row, column by column. Whole numbers are numbers. */
export type Row = readonly unknown[];

export type Ask = (sql: string, values?: readonly SqlValue[]) => Promise<Row[]>;

interface TimeLimits {
  readonly callMs?: number;
  readonly connectMs?: number;
}

/**
 * The connections to one database. Each statement outside `transaction` and `pages` is a
 * transaction of its own.
 */
export class Database {
  readonly #pool: Pool;
  /** Whether the default isolation level is one at which writes refuse to run. */
  #needsBegin = false;

  private constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * Does not connect yet. `callMs`: the time limit of a call; 0 means none. `connectMs`: that of
   * connecting.
   */
  static async at(
    address: DatabaseAddress,
    { callMs = CALL_MS, connectMs = CONNECT_MS }: TimeLimits = {},
  ): Promise<Database> {
    const { default: pg } = await import("pg");
    const pool = new pg.Pool({
      host: address.host,
      port: address.port,
      user: address.user,
      password: address.password,
      database: address.database,
      options: address.options,
      application_name: address.applicationName,
      enableChannelBinding: address.channelBinding,
      ssl: address.tls === undefined ? false : tlsOptions(address, address.tls),
      max: CONNECTIONS,
      connectionTimeoutMillis: connectMs,
      query_timeout: callMs,
      keepAlive: true,
      allowExitOnIdle: true,
      types: {
        getTypeParser: (type: number, format?: string) =>
          type === pg.types.builtins.INT8
            ? Number
            : (pg.types.getTypeParser(type, format as "text") as (text: string) => unknown),
      },
    });
    // The pool has already dropped the connection; an unhandled error event would end the process.
    pool.on("error", () => {});
    pool.on("connect", (client) => client.on("error", () => {}));
    return new Database(pool);
  }

  /**
   * Calls a function of the schema: one statement, which is one transaction.
   * @throws {PostgresError}
   */
  async call(name: string, values: readonly SqlValue[]): Promise<Row[]> {
    const sql = `SELECT * FROM agno_chat.${name}(${values.map((_, index) => `$${index + 1}`)})`;
    if (!this.#needsBegin)
      try {
        return await this.ask(sql, values);
      } catch (error) {
        if (!isPostgres(error, OLD_SNAPSHOT)) throw error;
        this.#needsBegin = true;
      }
    return this.transaction((ask) => ask(sql, values));
  }

  /** @throws {PostgresError} */
  readonly ask: Ask = (sql, values) => this.#with((client) => query(client, sql, values));

  /**
   * Runs `work` in one transaction that may write. Each statement sees everything that was
   * committed before it.
   * @throws {PostgresError}
   */
  transaction<Result>(work: (ask: Ask) => Promise<Result>): Promise<Result> {
    return this.#transact("READ COMMITTED", work);
  }

  /**
   * Runs `work` in one transaction that only reads; all of it from the same moment.
   * @throws {PostgresError}
   */
  snapshot<Result>(work: (ask: Ask) => Promise<Result>): Promise<Result> {
    return this.#transact("REPEATABLE READ READ ONLY", work);
  }

  #transact<Result>(level: string, work: (ask: Ask) => Promise<Result>): Promise<Result> {
    return this.#with(async (client) => {
      await query(client, `BEGIN ISOLATION LEVEL ${level}`);
      try {
        const result = await work((sql, values) => query(client, sql, values));
        await query(client, "COMMIT");
        return result;
      } catch (error) {
        // A lost or busy connection is closed, which ends its transaction.
        if (!(error instanceof PostgresError && error.isUnknown))
          await client.query("ROLLBACK").catch(() => undefined);
        throw error;
      }
    });
  }

  /**
   * The rows of a query as they are needed, in pages of this size; all from the same moment. None
   * of the pages is empty.
   * @throws {PostgresError}
   */
  async *pages(select: string, size: number): AsyncGenerator<readonly Row[]> {
    const client = await this.#connect();
    let isDone = false;
    try {
      await query(client, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      await query(client, `DECLARE pages NO SCROLL CURSOR FOR ${select}`);
      while (!isDone) {
        const rows = await query(client, `FETCH ${size} FROM pages`);
        if (rows.length > 0) yield rows;
        if (rows.length < size) await query(client, "COMMIT");
        isDone = rows.length < size;
      }
    } finally {
      // A connection in the middle of a transaction is closed, which ends it.
      client.release(!isDone);
    }
  }

  /**
   * Runs `work` on one connection. `processId` is the server process as reported on connecting; a
   * pooler reports another one.
   * @throws {PostgresError}
   */
  session<Result>(
    work: (session: {
      readonly ask: Ask;
      readonly processId: number | undefined;
    }) => Promise<Result>,
  ): Promise<Result> {
    return this.#with((client) => {
      const { processID } = client as { readonly processID?: number };
      return work({ ask: (sql, values) => query(client, sql, values), processId: processID });
    });
  }

  /** Waits for the calls in progress. */
  close(): Promise<void> {
    return this.#pool.end();
  }

  #connect(): Promise<PoolClient> {
    return this.#pool.connect().catch((thrown: unknown) => {
      throw postgresError(thrown, { isSent: false });
    });
  }

  async #with<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result> {
    const client = await this.#connect();
    try {
      const result = await work(client);
      client.release();
      return result;
    } catch (error) {
      client.release(!(error instanceof PostgresError) || error.isUnknown || isStale(error));
      throw error;
    }
  }
}

/** The server has become read-only, or is going down. */
const isStale = ({ code }: PostgresError): boolean => code === "25006" || code.startsWith("57P");

/** Never as a named statement: a pooler may send the next call over another connection. */
async function query(
  client: PoolClient,
  sql: string,
  values: readonly SqlValue[] = [],
): Promise<Row[]> {
  try {
    const { rows } = await client.query({ text: sql, values: [...values], rowMode: "array" });
    return rows;
  } catch (thrown) {
    throw postgresError(thrown, { isSent: true });
  }
}

function tlsOptions(
  address: DatabaseAddress,
  { authorities, certificate, key }: TlsFiles,
): { ca?: string; cert?: string; key?: string } {
  const read = (path: string): string => {
    try {
      return readFileSync(path, "utf8");
    } catch (cause) {
      throw new AgnoChatError(
        "STORE_NOT_READY",
        `Cannot use the database ${nameOf(address)}: ${JSON.stringify(path)} cannot be read: ${systemReason(cause)}.`,
        { hint: "Check sslrootcert, sslcert and sslkey of the URL.", cause },
      );
    }
  };
  return {
    ...(authorities === undefined ? {} : { ca: read(authorities) }),
    ...(certificate === undefined ? {} : { cert: read(certificate) }),
    ...(key === undefined ? {} : { key: read(key) }),
  };
}
