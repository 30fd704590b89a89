import {
  AgnoChatError,
  asAgnoChatError,
  ERROR_TABLE,
  type ErrorCode,
  sentencesOf,
} from "../errors.js";

/** What a client sees of a failure. */
export interface Failure {
  readonly code: ErrorCode;
  /** A few sentences, without stacks, keys or the words of a provider or a database. */
  readonly message: string;
  /** Whether anything of the run is stored; see `AgnoChatError.stored`. */
  readonly stored: boolean | undefined;
  /** In how many seconds the same request may succeed, if that is known. */
  readonly retryAfter: number | undefined;
  readonly http: number;
  readonly rpc: number;
}

/** A mistake of the program around the server. Its message is a fixed sentence, safe to log. */
export class ConfigurationFault extends AgnoChatError {
  constructor(message: string, cause?: unknown) {
    super("CONFIG_INVALID", message, { cause });
  }
}

interface Masked {
  readonly what: string;
  /** The next step, if nothing is stored yet. */
  readonly hint?: string;
}

const INTERNAL: Masked = { what: "The server failed." };
const UNREACHABLE: Masked = {
  what: "The model cannot answer at the moment.",
  hint: "Try again in a while.",
};
const REFUSED: Masked = { what: "The model's server refused the request." };
const STORE: Masked = { what: "The storage of this server failed." };

/** Replaces messages that may quote a provider or a database. */
const MASKED: Partial<Record<ErrorCode, Masked>> = {
  CONTEXT_TOO_LONG: {
    what: "The message is too long for the model.",
    hint: "Send less at once.",
  },
  MODEL_FILTERED: {
    what: "The model's content filter stopped the reply.",
    hint: "Rephrase the message.",
  },
  MAX_LOOPS: {
    what: "The model kept calling tools without a final answer.",
    hint: "Ask for less at once.",
  },
  MODEL_REJECTED: REFUSED,
  MODEL_QUOTA: REFUSED,
  MODEL_RATE_LIMITED: UNREACHABLE,
  MODEL_UNAVAILABLE: UNREACHABLE,
  MODEL_NETWORK: UNREACHABLE,
  MODEL_TIMEOUT: { what: "The model took too long.", hint: "Try again, or ask for less at once." },
  MODEL_BAD_RESPONSE: { what: "The model sent an invalid answer.", hint: "Try again." },
  STORE_FAILED: STORE,
  STORE_CLOSED: STORE,
  AUTH_UNAVAILABLE: {
    what: "The server cannot check who you are at the moment.",
    hint: "Try again in a while.",
  },
  SHUTTING_DOWN: { what: "The server is shutting down.", hint: "Try again in a while." },
};

/** 4xx messages are sent as they are; the others are replaced by a fixed sentence and the code. */
export function failureOf(thrown: unknown): Failure {
  const error = asAgnoChatError(thrown);
  const { code, stored, retryAfter } = error;
  const { http, rpc } = ERROR_TABLE[code];
  const masked = MASKED[code] ?? (http >= 500 ? INTERNAL : undefined);
  return {
    code,
    message: masked ? maskedText(masked, stored) : sentencesOf(error),
    stored,
    retryAfter,
    http,
    rpc,
  };
}

/** No hint to try again when part of the run is stored: the message would be there twice. */
function maskedText({ what, hint }: Masked, stored: boolean | undefined): string {
  if (stored) return sentencesOf({ message: what, stored, hint: "Ask for the rest." });
  const message = stored === false ? `${what} Nothing was stored.` : what;
  return sentencesOf({ message, stored, hint });
}
