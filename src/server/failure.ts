import {
  AgnoChatError,
  asAgnoChatError,
  ERROR_TABLE,
  type ErrorCode,
  sentencesOf,
} from "../errors.js";

/** A failure as a client is told of it. */
export interface Failure {
  readonly code: ErrorCode;
  /** A few sentences, free of stacks, keys and whatever a provider or a database said. */
  readonly message: string;
  /** Whether anything of the run is stored; see `AgnoChatError.stored`. */
  readonly stored: boolean | undefined;
  readonly http: number;
  readonly rpc: number;
}

/** What the program around the server did wrong. Its message is a fixed sentence, so that the log may show it. */
export class HostFault extends AgnoChatError {
  constructor(message: string, cause?: unknown) {
    super("CONFIG_INVALID", message, { cause });
  }
}

interface Masked {
  readonly what: string;
  /** What helps, when nothing is stored yet. */
  readonly hint?: string;
}

const OURS: Masked = { what: "Something failed on this side." };
const UNREACHABLE: Masked = {
  what: "The model cannot answer at the moment.",
  hint: "Try again in a while.",
};
const REFUSED: Masked = { what: "The model's server refused the request." };
const STORE: Masked = { what: "The store of this server failed." };

/** In the place of messages that may quote a provider or a database. */
const MASKED: Partial<Record<ErrorCode, Masked>> = {
  CONTEXT_TOO_LONG: {
    what: "The message is too long for the model.",
    hint: "Send less at once.",
  },
  MODEL_FILTERED: {
    what: "The model's content filter stopped it.",
    hint: "Put it in other words.",
  },
  MAX_LOOPS: {
    what: "The model called tools without coming to an end.",
    hint: "Ask for less at once.",
  },
  MODEL_REJECTED: REFUSED,
  MODEL_QUOTA: REFUSED,
  MODEL_RATE_LIMITED: UNREACHABLE,
  MODEL_UNAVAILABLE: UNREACHABLE,
  MODEL_NETWORK: UNREACHABLE,
  MODEL_TIMEOUT: { what: "The model took too long.", hint: "Try again, or ask for less at once." },
  MODEL_BAD_RESPONSE: { what: "The model's answer was of no use.", hint: "Try again." },
  STORE_FAILED: STORE,
  STORE_CLOSED: STORE,
  SHUTTING_DOWN: { what: "The server is shutting down.", hint: "Try again in a while." },
};

/** Only what the client can mend is told in full; the rest in fixed sentences, and its code must do. */
export function failureOf(thrown: unknown): Failure {
  const error = asAgnoChatError(thrown);
  const { code, stored } = error;
  const { http, rpc } = ERROR_TABLE[code];
  const masked = MASKED[code] ?? (http >= 500 ? OURS : undefined);
  return {
    code,
    message: masked ? maskedText(masked, stored) : sentencesOf(error),
    stored,
    http,
    rpc,
  };
}

/** Whoever sends a message again of which a part is stored has it twice. */
function maskedText({ what, hint }: Masked, stored: boolean | undefined): string {
  if (stored) return sentencesOf({ message: what, stored, hint: "Ask for the rest." });
  const message = stored === false ? `${what} Nothing was stored.` : what;
  return sentencesOf({ message, stored, hint });
}
