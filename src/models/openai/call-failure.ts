import type { AgnoChatError } from "../../errors.js";

/** Why a call failed, and whether the same call may succeed a little later. */
export interface CallFailure {
  readonly error: AgnoChatError;
  readonly retry: boolean;
  /** How long the server asked us to wait. */
  readonly retryAfterMs?: number | undefined;
}
