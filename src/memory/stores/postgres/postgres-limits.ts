import { type SessionId, storedUserId, type UserId } from "../../../ids.js";
import { LIMIT_NAMES, refuseOver, setUseOf, type UsedLimits, useOf } from "../../limits.js";
import type { Admission, Limits, LimitUse, Snapshot, Spent, UserWithLimits } from "../../memory.js";
import type { LeaseTime, StoreLimits, Window } from "../../store.js";
import type { Row, SqlValue } from "./client.js";
import { limitOf, snapshotOf } from "./rows.js";

/** Calls functions of the schema. */
interface Calls {
  read(name: string, values: readonly SqlValue[]): Promise<Row[]>;
  write(name: string, values: readonly SqlValue[]): Promise<Row>;
}

/** What the users of a database may use. The database's own clock counts. */
export class PostgresLimits implements StoreLimits {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** Repeated like a read: a run counts once. */
  async admit(userId: UserId, admission: Window & Admission & LeaseTime): Promise<Snapshot> {
    const rows = await this.#calls.read("admit_run_v1", admitArguments(userId, admission));
    return admittedIn(rows, admission.sessionId);
  }

  async renew(userId: UserId, { runId, ms }: Pick<Admission, "runId"> & LeaseTime): Promise<void> {
    await this.#calls.read("renew_run_v1", [userId, runId, ms]);
  }

  async settle(userId: UserId, { runId, tokens }: Spent): Promise<void> {
    await this.#calls.write("settle_run_v1", [userId, runId, tokens]);
  }

  async use(userId: UserId, { limits }: { readonly limits: Limits }): Promise<LimitUse[]> {
    const [row] = await this.#calls.read("use_v1", [userId, valuesOf(limits), true]);
    const [own, used] = row as readonly [Columns, Columns];
    return useOf(namedIn(used) as UsedLimits, namedIn(own));
  }

  async list(): Promise<UserWithLimits[]> {
    const rows = await this.#calls.read("limits_v1", []);
    return (rows as (readonly [string, Columns])[]).map(([userId, limits]) => ({
      userId: storedUserId(userId),
      limits: namedIn(limits),
    }));
  }

  async set(userId: UserId, limits: Limits): Promise<void> {
    await this.#calls.write("set_limits_v1", [userId, valuesOf(limits)]);
  }

  async remove(userId: UserId): Promise<boolean> {
    const [had] = await this.#calls.write("remove_limits_v1", [userId]);
    return had === true;
  }
}

/** One value for each of `LIMIT_NAMES`. */
type Columns = readonly (number | null)[];

const valuesOf = (limits: Limits): Columns => LIMIT_NAMES.map((name) => limits[name] ?? null);

const namedIn = (columns: Columns): Limits =>
  Object.fromEntries(
    LIMIT_NAMES.flatMap((name, index) => {
      const value = columns[index] ?? null;
      return value === null ? [] : [[name, Number(value)]];
    }),
  );

/** The arguments of `admit_run_v1`. */
export const admitArguments = (
  userId: UserId,
  { sessionId, limit, runId, ms, limits }: Window & Admission & LeaseTime,
): SqlValue[] => [userId, sessionId, limitOf(limit), runId, ms, valuesOf(limits)];

/**
 * Reads what `admit_run_v1` returned.
 * @throws {AgnoChatError} as `refuseOver`
 */
export function admittedIn(rows: readonly Row[], sessionId: SessionId): Snapshot {
  const lines = rows.flatMap(([, line]) => (line === null ? [] : [line as string]));
  const answer = rows.find(([use]) => use !== null)?.[0] as Answer | undefined;
  if (answer === undefined) return snapshotOf(lines, sessionId);
  const [limits, used, [minuteMs, dayMs], isAdmitted] = answer;
  const counted = namedIn(used) as UsedLimits;
  if (!isAdmitted) refuseOver(counted, namedIn(limits), { minuteMs, dayMs });
  return { ...snapshotOf(lines, sessionId), use: setUseOf(counted, namedIn(limits)) };
}

type Answer = readonly [
  limits: Columns,
  used: Columns,
  waits: readonly [minuteMs: number, dayMs: number],
  isAdmitted: boolean,
];
