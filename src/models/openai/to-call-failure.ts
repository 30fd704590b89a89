import { AgnoChatError, asAgnoChatError } from "../../errors.js";
import type { ApiServer } from "./api-server.js";
import type { CallFailure } from "./call-failure.js";
import { HttpFailure } from "./http-errors.js";
import { type CallContext, httpFailure } from "./http-failure.js";
import { networkFailure } from "./network-failure.js";
import { EventTooLongError } from "./sse.js";

/** Turns whatever a call threw into a `CallFailure`. */
export function failureOf(thrown: unknown, about: CallContext): CallFailure {
  if (thrown instanceof AgnoChatError) return { error: thrown, retry: false };
  if (thrown instanceof HttpFailure) return httpFailure(thrown, about);
  if (thrown instanceof EventTooLongError) return { error: tooLong(about.server), retry: false };
  return networkFailure(thrown, about.server) ?? { error: asAgnoChatError(thrown), retry: false };
}

const tooLong = ({ host }: ApiServer): AgnoChatError =>
  new AgnoChatError("MODEL_BAD_RESPONSE", `${host} sent an event that is too long.`, {
    hint: "Check that the base URL is that of an OpenAI-compatible API.",
  });
