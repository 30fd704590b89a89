import { AgnoChatError } from "../errors.js";
import { validateUserId } from "../ids.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import { countOf, finiteCountOf, sessionIdOf, userIdOf } from "./arguments.js";
import { storeClosed } from "./failures.js";
import { LIMIT_NAMES } from "./limits.js";
import type { Admission, Limits, ReadOptions, Spent, UserLimits } from "./memory.js";
import { READ_KEYS } from "./option-keys.js";
import type { StoreLimits } from "./store.js";

/** How long an admitted run counts as under way unless it is renewed, in milliseconds. */
export const RUN_MS = 30_000;

const LIMIT_KEYS: KnownKeys<Limits> = {
  requestsPerMinute: true,
  runsAtOnce: true,
  tokensPerDay: true,
  bytesKept: true,
};

const ADMIT_KEYS: KnownKeys<Admission & ReadOptions> = { ...READ_KEYS, runId: true, limits: true };

interface LimitsContext {
  readonly now: () => number;
  readonly isClosed: () => boolean;
}

/** The limits of a store, for a memory over it. */
export function userLimitsOf(limits: StoreLimits, { now, isClosed }: LimitsContext): UserLimits {
  /** The store, unless it is closed. */
  const open = (): StoreLimits => {
    if (isClosed()) throw storeClosed();
    return limits;
  };
  return {
    admit(userId, options) {
      refuseUnknownKeys(options, ADMIT_KEYS, "admit");
      return open().admit(userIdOf(userId), {
        ...checkedAdmission(options),
        sessionId: sessionIdOf(options),
        limit: countOf(options.limit, "limit"),
        ms: RUN_MS,
        time: now(),
      });
    },
    renew: (userId, runId) =>
      open().renew(userIdOf(userId), { runId: runIdOf(runId), ms: RUN_MS, time: now() }),
    settle: (userId, spent) =>
      open().settle(userIdOf(userId), { ...checkedSpent(spent), time: now() }),
    use: (userId, everybody) =>
      open().use(userIdOf(userId), { limits: checkedLimits(everybody), time: now() }),
    list: () => open().list(),
    set: (userId, own) => open().set(validateUserId(userId), checkedLimits(own)),
    remove: (userId) => open().remove(validateUserId(userId)),
  };
}

/** @throws {AgnoChatError} `USAGE` for an unknown limit, `INVALID_INPUT` for an invalid one */
export function checkedLimits(limits: Limits): Limits {
  refuseUnknownKeys(limits, LIMIT_KEYS, "Limits");
  return Object.fromEntries(
    LIMIT_NAMES.flatMap((name) => {
      const value = limits[name];
      return value === undefined ? [] : [[name, finiteCountOf(value, name)]];
    }),
  );
}

/** @throws {AgnoChatError} `INVALID_INPUT`, `USAGE` */
export const checkedAdmission = ({ runId, limits }: Admission): Admission => ({
  runId: runIdOf(runId),
  limits: checkedLimits(limits),
});

/** @throws {AgnoChatError} `INVALID_INPUT` */
export const checkedSpent = ({ runId, tokens }: Spent): Spent => ({
  runId: runIdOf(runId),
  tokens: finiteCountOf(tokens, "tokens"),
});

function runIdOf(runId: unknown): string {
  if (typeof runId === "string" && UUID.test(runId)) return runId;
  throw new AgnoChatError("INVALID_INPUT", "The id of a run that is counted must be a UUID.");
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
