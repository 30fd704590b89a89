import { storedUserId, type UserId } from "../../../ids.js";
import {
  dayOf,
  LIMIT_NAMES,
  limitsOver,
  MINUTE_MS,
  refuseOver,
  setUseOf,
  type UsedLimits,
  useOf,
  waitsAt,
} from "../../limits.js";
import type {
  Admission,
  LimitName,
  Limits,
  LimitUse,
  Spent,
  UserWithLimits,
} from "../../memory.js";
import type { At, LeaseTime } from "../../store.js";
import type { SqliteConnection } from "./driver.js";

type LimitColumns = Readonly<Record<LimitName, number | null>>;

const LIMIT_COLUMNS = `
  requests_per_minute AS requestsPerMinute, runs_at_once AS runsAtOnce,
  tokens_per_day AS tokensPerDay, bytes_kept AS bytesKept`;

/** The user's own limits, and those of everybody for the others. */
export const limitsOf = (
  connection: SqliteConnection,
  userId: UserId,
  everybody: Limits,
): Limits => {
  const own = connection.get<LimitColumns>(
    `SELECT ${LIMIT_COLUMNS} FROM limits WHERE user_id = ?`,
    userId,
  );
  return limitsOver(own && givenIn(own), everybody);
};

const givenIn = (columns: LimitColumns): Limits =>
  Object.fromEntries(
    LIMIT_NAMES.flatMap((name) => (columns[name] === null ? [] : [[name, columns[name]]])),
  );

export const listLimits = (connection: SqliteConnection): UserWithLimits[] =>
  connection
    .all<LimitColumns & { userId: string }>(
      `SELECT user_id AS userId, ${LIMIT_COLUMNS} FROM limits ORDER BY user_id`,
    )
    .map(({ userId, ...columns }) => ({ userId: storedUserId(userId), limits: givenIn(columns) }));

/** Inside a write transaction, as everything below. */
export const setLimits = (connection: SqliteConnection, userId: UserId, limits: Limits): void =>
  connection.run(
    `INSERT INTO limits (user_id, requests_per_minute, runs_at_once, tokens_per_day, bytes_kept)
     VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (user_id) DO UPDATE SET
       requests_per_minute = coalesce(excluded.requests_per_minute, requests_per_minute),
       runs_at_once = coalesce(excluded.runs_at_once, runs_at_once),
       tokens_per_day = coalesce(excluded.tokens_per_day, tokens_per_day),
       bytes_kept = coalesce(excluded.bytes_kept, bytes_kept)`,
    userId,
    limits.requestsPerMinute ?? null,
    limits.runsAtOnce ?? null,
    limits.tokensPerDay ?? null,
    limits.bytesKept ?? null,
  );

/** Returns whether there were any. */
export function removeLimits(connection: SqliteConnection, userId: UserId): boolean {
  const had = connection.get("SELECT user_id FROM limits WHERE user_id = ?", userId) !== undefined;
  connection.run("DELETE FROM limits WHERE user_id = ?", userId);
  return had;
}

/**
 * Counts the run, unless it is counted already.
 * @returns the limits of the user, this run included
 * @throws {AgnoChatError} as `refuseOver`
 */
export function admitRun(
  connection: SqliteConnection,
  userId: UserId,
  { runId, limits: everybody, time, ms }: Admission & LeaseTime & At,
): LimitUse[] {
  const limits = limitsOf(connection, userId, everybody);
  connection.run("DELETE FROM runs_under_way WHERE user_id = ? AND expires_at <= ?", userId, time);
  const spending = spendingOf(connection, userId, time);
  // The bytes are a sum over all sessions, so only if they matter.
  const withBytes = limits.bytesKept !== undefined;
  const used = () => usedOf(connection, userId, { spending, time, withBytes });
  if (!isUnderWay(connection, userId, runId)) {
    refuseOver(used(), limits, waitsAt(time, spending.minute));
    spending.requests += 1;
    save(connection, userId, spending);
  }
  connection.run(
    "INSERT OR REPLACE INTO runs_under_way (user_id, run_id, expires_at) VALUES (?, ?, ?)",
    userId,
    runId,
    time + ms,
  );
  return setUseOf(used(), limits);
}

export const renewRun = (
  connection: SqliteConnection,
  userId: UserId,
  { runId, time, ms }: Pick<Admission, "runId"> & LeaseTime & At,
): void =>
  connection.run(
    "UPDATE runs_under_way SET expires_at = ? WHERE user_id = ? AND run_id = ?",
    time + ms,
    userId,
    runId,
  );

export function settleRun(
  connection: SqliteConnection,
  userId: UserId,
  { runId, tokens, time }: Spent & At,
): void {
  connection.run("DELETE FROM runs_under_way WHERE user_id = ? AND run_id = ?", userId, runId);
  const spending = spendingOf(connection, userId, time);
  save(connection, userId, { ...spending, tokens: spending.tokens + tokens });
}

/** Outside a write transaction, too. */
export function limitUseOf(
  connection: SqliteConnection,
  userId: UserId,
  { limits, time }: { readonly limits: Limits } & At,
): LimitUse[] {
  const spending = spendingOf(connection, userId, time);
  const used = usedOf(connection, userId, { spending, time, withBytes: true });
  return useOf(used, limitsOf(connection, userId, limits));
}

interface UsedAt extends At {
  readonly spending: Spending;
  readonly withBytes: boolean;
}

const usedOf = (
  connection: SqliteConnection,
  userId: UserId,
  { spending: { tokens, requests }, time, withBytes }: UsedAt,
): UsedLimits => ({
  tokensPerDay: tokens,
  requestsPerMinute: requests,
  runsAtOnce: runsOf(connection, userId, time),
  bytesKept: withBytes ? bytesOf(connection, userId) : 0,
});

/** Forgets what users spent before yesterday, and the runs that killed processes left behind. */
export function forgetSpending(connection: SqliteConnection, time: number): void {
  connection.run("DELETE FROM spending WHERE day < ?", dayOf(time) - 1);
  connection.run("DELETE FROM runs_under_way WHERE expires_at <= ?", time);
}

interface Spending {
  readonly day: number;
  readonly tokens: number;
  /** When the minute of these requests began. */
  readonly minute: number;
  requests: number;
}

/** What still counts at this time. */
function spendingOf(connection: SqliteConnection, userId: UserId, time: number): Spending {
  const day = dayOf(time);
  const row = connection.get<Spending>(
    "SELECT day, tokens, minute, requests FROM spending WHERE user_id = ?",
    userId,
  );
  const isSameMinute = row !== undefined && Math.abs(time - row.minute) < MINUTE_MS;
  return {
    day,
    tokens: row?.day === day ? row.tokens : 0,
    ...(isSameMinute && row.requests > 0
      ? { minute: row.minute, requests: row.requests }
      : { minute: time, requests: 0 }),
  };
}

const save = (
  connection: SqliteConnection,
  userId: UserId,
  { day, tokens, minute, requests }: Spending,
): void =>
  connection.run(
    "INSERT OR REPLACE INTO spending (user_id, day, tokens, minute, requests) VALUES (?, ?, ?, ?, ?)",
    userId,
    day,
    tokens,
    minute,
    requests,
  );

const isUnderWay = (connection: SqliteConnection, userId: UserId, runId: string): boolean =>
  connection.get(
    "SELECT run_id FROM runs_under_way WHERE user_id = ? AND run_id = ?",
    userId,
    runId,
  ) !== undefined;

const runsOf = (connection: SqliteConnection, userId: UserId, time: number): number =>
  connection.get<{ runs: number }>(
    "SELECT count(*) AS runs FROM runs_under_way WHERE user_id = ? AND expires_at > ?",
    userId,
    time,
  )?.runs ?? 0;

const bytesOf = (connection: SqliteConnection, userId: UserId): number =>
  connection.get<{ bytes: number | null }>(
    "SELECT sum(bytes) AS bytes FROM sessions JOIN users USING (user_key) WHERE user_id = ?",
    userId,
  )?.bytes ?? 0;
