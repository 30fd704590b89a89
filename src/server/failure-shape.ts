import { failureOf } from "./failure-answer.js";
import { errorObject } from "./openai/error-object.js";

/** The body of a failure's answer. */
export type FailureShape = (thrown: unknown) => object;

/** `{ error, code }`. */
const plainFailure: FailureShape = (thrown) => {
  const { message, code } = failureOf(thrown);
  return { error: message, code };
};

const openAiFailure: FailureShape = (thrown) => ({ error: errorObject(thrown) });

/** The shape that the clients of a path know. */
export const failureShapeAt = (path: string): FailureShape =>
  path === "/v1" || path.startsWith("/v1/") ? openAiFailure : plainFailure;
