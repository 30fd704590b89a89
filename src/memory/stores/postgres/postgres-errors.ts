import { AgnoChatError, type ErrorCode, type HintId } from "../../../errors.js";
import { systemReason } from "../../../system-errors.js";

/** Our names for failures that the driver reports without a SQLSTATE. */
type DriverCode = "LOST" | "SILENT" | "NO_TLS" | "NO_CONNECTION";

/**
 * A failure of PostgreSQL or of the connection, reduced to its code: the original message may quote
 * stored text or the password.
 */
export class PostgresError extends Error {
  override readonly name = "PostgresError";
  /** A SQLSTATE, a system or TLS error code, or a `DriverCode`. */
  readonly code: string;
  /** Whether the server may have done what it was asked in spite of the failure. */
  readonly isUnknown: boolean;

  constructor(code: string, { isUnknown, cause }: { isUnknown: boolean; cause?: unknown }) {
    super(`PostgreSQL: ${code}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.isUnknown = isUnknown;
  }
}

/** Every attempt failed, but one of them may have been stored. */
export class MaybeStored extends Error {
  override readonly name = "MaybeStored";
  override readonly cause: PostgresError;

  constructor(cause: PostgresError) {
    super("PostgreSQL: maybe stored");
    this.cause = cause;
  }
}

/** The SQLSTATE for a missing privilege. */
export const NO_RIGHT = "42501";

/** Converts a driver error, without its message. `isSent`: the call had been sent to the server. */
export function postgresError(thrown: unknown, { isSent }: { readonly isSent: boolean }): unknown {
  if (thrown instanceof PostgresError || thrown instanceof AgnoChatError) return thrown;
  if (thrown instanceof TypeError || !(thrown instanceof Error)) return thrown;
  const { code } = thrown as { readonly code?: unknown };
  const own = typeof code === "string" ? code : driverCodeOf(thrown.message);
  const isUnknown = isSent && (!isSqlState(own) || MAYBE_STORED.test(own));
  // A message of the operating system names an address at most.
  const reason = systemReason(thrown);
  return new PostgresError(own, { isUnknown, cause: reason === undefined ? undefined : thrown });
}

export const isPostgres = (error: unknown, ...codes: readonly string[]): error is PostgresError =>
  error instanceof PostgresError && codes.includes(error.code);

const isSqlState = (code: string): boolean =>
  /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]{4}$/.test(code);

/** Lost connections, "ambiguous", and a server that went down: the commit may have succeeded. */
const MAYBE_STORED = /^(08...|40003|57P01|57P02|57P05)$/;

const DRIVER_WORDS: readonly (readonly [RegExp, DriverCode])[] = [
  [/does not support SSL/, "NO_TLS"],
  [/timeout exceeded when trying to connect/, "NO_CONNECTION"],
  [/timeout/i, "SILENT"],
];

const driverCodeOf = (message: string): DriverCode =>
  DRIVER_WORDS.find(([words]) => words.test(message))?.[1] ?? "LOST";

interface Fault {
  readonly what: string;
  readonly hint: string;
  readonly hintId?: HintId;
  readonly code?: ErrorCode;
  /** The same call may succeed in a moment. */
  readonly passes?: boolean;
}

const LATER = "Try again later.";
const SERVER_LOG = "Look at the server's log.";
const REACHABLE = "Check that the server runs, and the host and port of the URL.";
const TRUSTED = "Name the authority that signed its certificate: sslrootcert=FILE in the URL.";
const RIGHTS: Fault = {
  code: "STORE_NOT_READY",
  what: "this role may not use it",
  hint: "Let its administrator grant its use to this role.",
  hintId: "init-store",
};

/** By code, or by the class of a SQLSTATE (its first two characters). */
const FAULTS: ReadonlyMap<string, Fault> = new Map<string, Fault>([
  ["ECONNREFUSED", { what: "nothing is listening there", hint: REACHABLE, passes: true }],
  ["ENOTFOUND", { what: "there is no such host", hint: REACHABLE }],
  ["EAI_AGAIN", { what: "the host's name cannot be looked up now", hint: REACHABLE }],
  ["ENOENT", { what: "there is no such socket", hint: REACHABLE }],
  ["SILENT", { what: "the server does not answer", hint: REACHABLE }],
  ["LOST", { what: "the connection was lost", hint: REACHABLE, passes: true }],
  ["ECONNRESET", { what: "the connection was lost", hint: REACHABLE, passes: true }],
  ["EPIPE", { what: "the connection was lost", hint: REACHABLE, passes: true }],
  ["NO_CONNECTION", { what: "all connections are busy", hint: LATER, passes: true }],
  [
    "NO_TLS",
    {
      code: "STORE_NOT_READY",
      what: "the server offers no encryption",
      hint: "Enable SSL there; on a network you trust, write sslmode=disable into the URL.",
    },
  ],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", { what: "its certificate is not trusted", hint: TRUSTED }],
  ["SELF_SIGNED_CERT_IN_CHAIN", { what: "its certificate is not trusted", hint: TRUSTED }],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", { what: "its certificate is not trusted", hint: TRUSTED }],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", { what: "its certificate is not trusted", hint: TRUSTED }],
  [
    "ERR_TLS_CERT_ALTNAME_INVALID",
    { what: "its certificate is for another host", hint: "Use the host name of the certificate." },
  ],
  ["CERT_HAS_EXPIRED", { what: "its certificate has expired", hint: "Renew it." }],
  ["25006", { what: "it is read-only now", hint: "Name the primary server.", passes: true }],
  [
    "28",
    {
      code: "STORE_NOT_READY",
      what: "it refuses this role or its password",
      hint: "Check the user and password of the URL.",
    },
  ],
  [
    "3D000",
    { code: "STORE_NOT_READY", what: "it does not exist", hint: "Create it: createdb NAME" },
  ],
  [NO_RIGHT, RIGHTS],
  ["40", { what: "it was too busy with other writers", hint: LATER, passes: true }],
  ["53100", { what: "its disk is full", hint: "Free some disk space there, then try again." }],
  ["53200", { what: "it is out of memory", hint: SERVER_LOG }],
  ["53300", { what: "it has no connection left", hint: LATER, passes: true }],
  ["55P03", { what: "a row is locked by another transaction", hint: LATER }],
  ["57014", { what: "it ended the call after its time limit", hint: LATER }],
  ["57P01", { what: "it is shutting down", hint: LATER, passes: true }],
  ["57P02", { what: "it has crashed", hint: LATER, passes: true }],
  ["57P03", { what: "it is starting or shutting down", hint: LATER, passes: true }],
  ["58", { what: "its server has trouble with its disk", hint: SERVER_LOG }],
  ["XX", { what: "its server has found damage or a bug", hint: SERVER_LOG }],
]);

const faultOf = ({ code, cause }: PostgresError): Fault =>
  FAULTS.get(code) ??
  (isSqlState(code) ? FAULTS.get(code.slice(0, 2)) : undefined) ?? {
    what: systemReason(cause) ?? `it failed with ${code}`,
    hint: SERVER_LOG,
  };

/** Whether the same call may succeed in a moment. */
export const passes = (error: PostgresError): boolean => faultOf(error).passes === true;

/** Converts a `PostgresError` to an `AgnoChatError` and returns anything else unchanged. */
export function storeFailed(name: string, error: unknown): unknown {
  if (error instanceof MaybeStored) return failure(name, error.cause, "; it may be stored or not");
  return error instanceof PostgresError ? failure(name, error, "") : error;
}

function failure(name: string, error: PostgresError, outcome: string): AgnoChatError {
  const { what, hint, hintId, code = "STORE_FAILED" } = faultOf(error);
  return new AgnoChatError(code, `Cannot use the database ${name}: ${what}${outcome}.`, {
    hint,
    hintId,
    cause: error,
  });
}
