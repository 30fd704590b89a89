import { AgnoChatError } from "../../errors.js";
import { asList, asRecord, asString } from "../../json.js";
import { type KnownKeys, refuseUnknownKeys } from "../../options.js";
import { ApiCall } from "./api-call.js";
import { API_SERVER_KEYS, ApiServer, type ApiServerOptions } from "./api-server.js";
import { Client } from "./client.js";
import { HttpFailure } from "./http-errors.js";
import { parseChunk } from "./parse-chunk.js";
import { MAX_RETRIES, REAL_TIMING, type RetryTiming, retryDelay } from "./retry-policy.js";
import { eventsIn } from "./sse.js";
import { failureOf } from "./to-call-failure.js";

export interface ListModelsOptions extends ApiServerOptions {
  readonly signal: AbortSignal;
  /** How often a failed call is tried again. Default: 3. */
  readonly maxRetries?: number | undefined;
  /** @internal For tests. */
  readonly timing?: RetryTiming;
}

const KEYS: KnownKeys<ListModelsOptions> = {
  ...API_SERVER_KEYS,
  signal: true,
  maxRetries: true,
  timing: true,
};

/** See `listModels`. */
export async function requestModels(options: ListModelsOptions): Promise<string[]> {
  refuseUnknownKeys(options, KEYS, "listModels");
  const { signal, maxRetries = MAX_RETRIES, timing = REAL_TIMING } = options;
  const server = new ApiServer(options);
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await askForModels(server, signal);
    } catch (thrown) {
      signal.throwIfAborted();
      const { error, retry, retryAfterMs } = hasNoList(thrown)
        ? { error: noListError(server), retry: false }
        : failureOf(thrown, { server, model: "of that name" });
      if (!retry || attempt > maxRetries) throw error;
      const delayMs = retryDelay(attempt, { retryAfterMs, random: timing.random });
      await timing.sleep(delayMs, signal).catch(() => {});
    }
  }
}

async function askForModels(server: ApiServer, signal: AbortSignal): Promise<string[]> {
  const call = new ApiCall(server, signal);
  try {
    const { body } = await new Client(server).models(call);
    for await (const document of eventsIn(call.withIdleTimeout(body)))
      return namesIn(document, server);
    return namesIn("", server);
  } catch (thrown) {
    throw call.causeOf(thrown);
  } finally {
    call.end();
  }
}

/** A server may support chat without listing its models. */
const hasNoList = (thrown: unknown): boolean =>
  thrown instanceof HttpFailure && [404, 405, 501].includes(thrown.status);

const noListError = ({ host, baseUrl }: ApiServer): AgnoChatError =>
  new AgnoChatError("MODEL_NOT_FOUND", `${host} does not list its models at ${baseUrl.pathname}.`, {
    hint: "Name the model yourself, or check the base URL: it usually ends in /v1.",
    hintId: "choose-model",
  });

/** Reads `{data: [{id}]}`, or the list alone. */
function namesIn(document: string, server: ApiServer): string[] {
  const parsed = parseChunk(document, server);
  const models = Array.isArray(parsed) ? parsed : asRecord(parsed).data;
  if (Array.isArray(models))
    return asList(models)
      .map((model) => asString(asRecord(model).id))
      .filter(Boolean);
  throw new AgnoChatError("MODEL_BAD_RESPONSE", `${server.host} did not send a list of models.`, {
    hint: "Name the model yourself, or check the base URL: it usually ends in /v1.",
    hintId: "choose-model",
  });
}
