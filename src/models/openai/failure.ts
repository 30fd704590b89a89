import { AgnoChatError, asAgnoChatError } from "../../errors.js";
import type { CallFailure } from "./call-failure.js";
import { httpFailure } from "./http-failure.js";
import { HttpFailure } from "./http-fetch.js";
import { networkFailure } from "./network-failure.js";
import type { Server } from "./server.js";
import { EventTooLongError } from "./sse.js";

/** Whatever was thrown while a server was asked. */
export function failureOf(thrown: unknown, about: { server: Server; model: string }): CallFailure {
  if (thrown instanceof AgnoChatError) return { error: thrown, retry: false };
  if (thrown instanceof HttpFailure) return httpFailure(thrown, about);
  if (thrown instanceof EventTooLongError) return { error: tooLong(about.server), retry: false };
  return networkFailure(thrown, about.server) ?? { error: asAgnoChatError(thrown), retry: false };
}

const tooLong = ({ host }: Server): AgnoChatError =>
  new AgnoChatError("MODEL_BAD_RESPONSE", `${host} sent an event without an end.`, {
    hint: "Check that the base URL is that of an OpenAI-compatible API.",
  });
