import { systemReason } from "./system-errors.js";

interface ErrorMapping {
  /** Exit code of the command line. */
  readonly exit: number;
  /** HTTP status of `serve`. */
  readonly http: number;
  /** JSON-RPC 2.0 error code of A2A. */
  readonly rpc: number;
}

const INVALID_REQUEST = -32600;
const INVALID_PARAMS = -32602;
const INTERNAL = -32603;

/**
 * Every stable error code, with its exit code, HTTP status and JSON-RPC code.
 *
 * Exit codes: 1 unexpected · 2 usage or bad input · 3 configuration or key · 4 model, network or
 * storage · 5 an expectation failed · 130 cancelled.
 *
 * HTTP: 4xx the caller can fix it · 502, 503, 504 the model or the store failed · 500 this side is
 * misconfigured or broken.
 */
export const ERROR_TABLE = {
  INTERNAL: { exit: 1, http: 500, rpc: INTERNAL },
  SYSTEM_FAILED: { exit: 4, http: 500, rpc: INTERNAL },

  USAGE: { exit: 2, http: 400, rpc: INVALID_PARAMS },
  INVALID_INPUT: { exit: 2, http: 400, rpc: INVALID_PARAMS },
  INVALID_USER_ID: { exit: 2, http: 400, rpc: INVALID_PARAMS },
  INVALID_SESSION_ID: { exit: 2, http: 400, rpc: INVALID_PARAMS },
  INVALID_MESSAGE: { exit: 2, http: 400, rpc: INVALID_PARAMS },
  INVALID_STATE: { exit: 2, http: 500, rpc: INTERNAL },
  NOT_CONFIRMED: { exit: 2, http: 400, rpc: INVALID_PARAMS },
  NOTHING_TO_EXPORT: { exit: 2, http: 404, rpc: INVALID_PARAMS },
  FILE_EXISTS: { exit: 2, http: 500, rpc: INTERNAL },
  FILE_UNREADABLE: { exit: 2, http: 500, rpc: INTERNAL },
  FILE_UNWRITABLE: { exit: 4, http: 500, rpc: INTERNAL },

  CONFIG_INVALID: { exit: 3, http: 500, rpc: INTERNAL },
  MODEL_NOT_CONFIGURED: { exit: 3, http: 500, rpc: INTERNAL },
  MODEL_NOT_FOUND: { exit: 3, http: 500, rpc: INTERNAL },
  MODEL_AUTH: { exit: 3, http: 500, rpc: INTERNAL },
  STORE_UNKNOWN: { exit: 3, http: 500, rpc: INTERNAL },
  STORE_NOT_READY: { exit: 3, http: 500, rpc: INTERNAL },

  MODEL_REJECTED: { exit: 4, http: 502, rpc: INTERNAL },
  MODEL_QUOTA: { exit: 4, http: 503, rpc: INTERNAL },
  MODEL_RATE_LIMITED: { exit: 4, http: 503, rpc: INTERNAL },
  MODEL_UNAVAILABLE: { exit: 4, http: 503, rpc: INTERNAL },
  MODEL_NETWORK: { exit: 4, http: 502, rpc: INTERNAL },
  MODEL_TIMEOUT: { exit: 4, http: 504, rpc: INTERNAL },
  MODEL_BAD_RESPONSE: { exit: 4, http: 502, rpc: INTERNAL },
  MODEL_FILTERED: { exit: 4, http: 422, rpc: INVALID_PARAMS },
  MODEL_REPLY_UNFIT: { exit: 5, http: 502, rpc: INTERNAL },
  CONTEXT_TOO_LONG: { exit: 4, http: 413, rpc: INVALID_PARAMS },
  MAX_LOOPS: { exit: 4, http: 502, rpc: INTERNAL },
  STORE_FOREIGN: { exit: 4, http: 500, rpc: INTERNAL },
  STORE_TOO_NEW: { exit: 4, http: 500, rpc: INTERNAL },
  STORE_UNSAFE: { exit: 4, http: 500, rpc: INTERNAL },
  STORE_FAILED: { exit: 4, http: 503, rpc: INTERNAL },
  STORE_CLOSED: { exit: 4, http: 503, rpc: INTERNAL },
  BUSY: { exit: 4, http: 429, rpc: INTERNAL },
  RATE_LIMITED: { exit: 4, http: 429, rpc: INTERNAL },
  BUDGET: { exit: 4, http: 429, rpc: INTERNAL },
  REENTRANT_RUN: { exit: 4, http: 500, rpc: INTERNAL },
  HISTORY_CLEARED: { exit: 4, http: 409, rpc: INTERNAL },
  TOO_MANY_INACTIVE: { exit: 2, http: 409, rpc: INTERNAL },
  STATE_CONFLICT: { exit: 4, http: 409, rpc: INTERNAL },
  RUN_CONFLICT: { exit: 4, http: 409, rpc: INTERNAL },
  SESSION_EXISTS: { exit: 2, http: 409, rpc: INVALID_PARAMS },
  LEASE_LOST: { exit: 4, http: 409, rpc: INTERNAL },

  UNAUTHENTICATED: { exit: 1, http: 401, rpc: INVALID_REQUEST },
  TOO_MANY_ATTEMPTS: { exit: 1, http: 429, rpc: INVALID_REQUEST },
  AUTH_UNAVAILABLE: { exit: 4, http: 503, rpc: INTERNAL },
  FORBIDDEN: { exit: 1, http: 403, rpc: INVALID_REQUEST },
  NOT_FOUND: { exit: 1, http: 404, rpc: INVALID_REQUEST },
  REQUEST_TIMEOUT: { exit: 1, http: 408, rpc: INVALID_REQUEST },
  METHOD_NOT_ALLOWED: { exit: 1, http: 405, rpc: INVALID_REQUEST },
  TOO_LARGE: { exit: 1, http: 413, rpc: INVALID_REQUEST },
  UNSUPPORTED_MEDIA_TYPE: { exit: 1, http: 415, rpc: INVALID_REQUEST },
  SHUTTING_DOWN: { exit: 4, http: 503, rpc: INTERNAL },
  ADDRESS_IN_USE: { exit: 4, http: 500, rpc: INTERNAL },

  EXPECTATION_FAILED: { exit: 5, http: 500, rpc: INTERNAL },
  CANCELLED: { exit: 130, http: 499, rpc: INTERNAL },
} as const satisfies Record<string, ErrorMapping>;

/** The stable name of a kind of failure: the part of an error that programs can rely on. */
export type ErrorCode = keyof typeof ERROR_TABLE;

/**
 * Names a hint whose next step depends on the program around the library, so that the program can
 * put it in its own words: a command line names a flag where the library names an option.
 */
export type HintId =
  | "allow-anonymous"
  | "choose-model"
  | "give-key"
  | "give-openai-key"
  | "init-store"
  | "lease-store"
  | "less-history"
  | "list-models"
  | "see-cause";

export interface AgnoChatErrorOptions {
  /** The next step, as one sentence a user can act on. */
  readonly hint?: string | undefined;
  readonly hintId?: HintId | undefined;
  /** The underlying error. Only shown when the user asks for details. */
  readonly cause?: unknown;
  /** Whether any part of the run it ended is stored. */
  readonly stored?: boolean | undefined;
  /** In how many seconds the same call may succeed, if that is known. */
  readonly retryAfter?: number | undefined;
}

interface ErrorChanges {
  readonly message?: string;
  readonly stored?: boolean;
}

/**
 * Every failure this library reports on purpose. `message` is one line that names what failed and
 * the value; it never contains a key, a stack or another user's text.
 * @example
 * const agent = new Agent({ model: new DemoModel() });
 * try {
 *   await agent.run("", { userId: "alice" });
 * } catch (error) {
 *   if (!(error instanceof AgnoChatError)) throw error;
 *   console.log(error.code, error.hint); // INVALID_INPUT Say something.
 * }
 */
export class AgnoChatError extends Error {
  override readonly name = "AgnoChatError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly hintId: HintId | undefined;
  /**
   * Whether the run it ended is stored. `false`: nothing is. `true`: what had been shown is, marked
   * as interrupted, so sending the message again would store it twice. `undefined`: the error ended
   * no run, or it is not known.
   */
  readonly stored: boolean | undefined;
  /** In how many seconds the same call may succeed; undefined if that is not known. */
  readonly retryAfter: number | undefined;

  /** Never throws, since what is asked about may be anything, even a revoked proxy. */
  static override [Symbol.hasInstance](thrown: unknown): boolean {
    try {
      // biome-ignore lint/complexity/noThisInStatic: a class that extends it asks about itself
      return Function.prototype[Symbol.hasInstance].call(this, thrown);
    } catch {
      return false;
    }
  }

  constructor(
    code: ErrorCode,
    message: string,
    { hint, hintId, cause, stored, retryAfter }: AgnoChatErrorOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
    this.hintId = hintId;
    this.stored = stored;
    this.retryAfter = retryAfter;
  }

  /**
   * Returns a copy with these changes. One error may end several runs, so it is never changed
   * itself.
   */
  with({ message = this.message, stored = this.stored }: ErrorChanges): AgnoChatError {
    const { code, hint, hintId, cause, retryAfter } = this;
    return new AgnoChatError(code, message, { hint, hintId, cause, stored, retryAfter });
  }
}

/** Joins what failed, whether it is partly stored, and what to do next. */
export const sentencesOf = ({
  message,
  stored,
  hint,
}: Pick<AgnoChatError, "message" | "stored" | "hint">): string =>
  [message, stored ? PARTLY_STORED : undefined, hint]
    .filter((sentence) => sentence !== undefined)
    .join(" ");

const PARTLY_STORED = "What was shown is stored, marked as interrupted.";

/** The system call and the path that failed, if Node names them. */
function describeSyscall(thrown: unknown): string {
  const { syscall, path } = thrown as NodeJS.ErrnoException;
  const words = [syscall, path === undefined ? undefined : JSON.stringify(path)];
  return words.map((word) => (word === undefined ? "" : `, ${word}`)).join("");
}

/**
 * Returns an `AgnoChatError` as it is. An error of the operating system becomes `SYSTEM_FAILED`,
 * anything else `INTERNAL`, both with the original as their cause.
 */
export function asAgnoChatError(thrown: unknown): AgnoChatError {
  if (thrown instanceof AgnoChatError) return thrown;
  const reason = systemReason(thrown);
  if (reason !== undefined)
    return new AgnoChatError(
      "SYSTEM_FAILED",
      `The system refused: ${reason}${describeSyscall(thrown)}.`,
      {
        hint: "Check the file, the permissions or the network it names, then try again.",
        cause: thrown,
      },
    );
  return new AgnoChatError("INTERNAL", "Something unexpected went wrong.", {
    hint: "Look at the error's cause.",
    hintId: "see-cause",
    cause: thrown,
  });
}
