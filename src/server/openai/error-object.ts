import type { ErrorCode } from "../../errors.js";
import { failureOf } from "../failure-answer.js";
import { RequestFault } from "./request-fault.js";

/** An error as the clients of OpenAI know it. */
export interface ErrorObject {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string;
}

/** The names by which clients know what they can do something about. Others keep their own. */
const CODES: Partial<Record<ErrorCode, string>> = {
  UNAUTHENTICATED: "invalid_api_key",
  BUSY: "rate_limit_exceeded",
  RATE_LIMITED: "rate_limit_exceeded",
  BUDGET: "insufficient_quota",
  CONTEXT_TOO_LONG: "context_length_exceeded",
  MODEL_FILTERED: "content_filter",
};

/** The fields that errors of our own mean. */
const PARAMS: Partial<Record<ErrorCode, string>> = {
  INVALID_USER_ID: "user",
  FORBIDDEN: "user",
  INVALID_SESSION_ID: "conversation",
};

const TYPES: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  429: "rate_limit_error",
};

/** What a client is told of a failure. */
export function errorObject(thrown: unknown): ErrorObject {
  const { code, message, http } = failureOf(thrown);
  const { param = PARAMS[code] ?? null, openAiCode = undefined } =
    thrown instanceof RequestFault ? thrown : {};
  const type = TYPES[http] ?? (http >= 500 ? "server_error" : "invalid_request_error");
  return { message, type, param, code: openAiCode ?? CODES[code] ?? code.toLowerCase() };
}
