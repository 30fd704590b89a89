import { AgnoChatError, asAgnoChatError, ERROR_TABLE, type ErrorCode } from "../errors.js";

/** A failure as a client is told of it. */
export interface Failure {
  readonly code: ErrorCode;
  /** One or two sentences, free of stacks, keys and whatever a provider or a database said. */
  readonly message: string;
  readonly http: number;
  readonly rpc: number;
}

/** What the program around the server did wrong. Its message is a fixed sentence, so that the log may show it. */
export class HostFault extends AgnoChatError {
  constructor(message: string, cause?: unknown) {
    super("CONFIG_INVALID", message, { cause });
  }
}

const OURS = "Something failed on this side and nothing was stored. Try again.";

/** Only what the client can mend is told in full; the rest is ours, and its code must do. */
export function failureOf(thrown: unknown): Failure {
  const { code, message, hint } = asAgnoChatError(thrown);
  const { http, rpc } = ERROR_TABLE[code];
  if (http === 500) return { code, message: OURS, http, rpc };
  return { code, message: hint === undefined ? message : `${message} ${hint}`, http, rpc };
}
