import { AgnoChatError } from "../../errors.js";
import { Call } from "./call.js";
import { Client } from "./client.js";
import { failureOf } from "./failure.js";
import { HttpFailure } from "./http-fetch.js";
import { list, record, string } from "./json.js";
import { parseChunk } from "./parse-chunk.js";
import { type Chance, MAX_RETRIES, REAL_CHANCE, retryDelay } from "./retry-policy.js";
import { Server, type ServerOptions } from "./server.js";
import { eventsIn } from "./sse.js";

export interface ListModelsOptions extends ServerOptions {
  readonly signal: AbortSignal;
  /** How often a failed call is tried again. Default: 3. */
  readonly maxRetries?: number | undefined;
  /** @internal Chance and time, for tests. */
  readonly chance?: Chance;
}

/**
 * The names of the models that a server offers, in its order. A server that is busy, or still loads its model, is asked
 * again after the same waits as for an answer.
 * @throws {AgnoChatError} what `OpenAIModel` throws
 */
export async function listModels({
  signal,
  maxRetries = MAX_RETRIES,
  chance = REAL_CHANCE,
  ...options
}: ListModelsOptions): Promise<string[]> {
  const server = new Server(options);
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await askForModels(server, signal);
    } catch (thrown) {
      signal.throwIfAborted();
      const { error, retry, retryAfterMs } = isWithoutList(thrown)
        ? { error: withoutList(server), retry: false }
        : failureOf(thrown, { server, model: "of that name" });
      if (!retry || attempt > maxRetries) throw error;
      const delayMs = retryDelay(attempt, { retryAfterMs, random: chance.random });
      await chance.sleep(delayMs, signal).catch(() => {});
    }
  }
}

async function askForModels(server: Server, signal: AbortSignal): Promise<string[]> {
  const call = new Call(server, signal);
  try {
    const { body } = await new Client(server).models(call);
    for await (const document of eventsIn(call.heard(body))) return namesIn(document, server);
    return namesIn("", server);
  } catch (thrown) {
    throw call.causeOf(thrown);
  } finally {
    call.end();
  }
}

/** A server may well have a chat and no list. */
const isWithoutList = (thrown: unknown): boolean =>
  thrown instanceof HttpFailure && [404, 405, 501].includes(thrown.status);

const withoutList = ({ host, baseUrl }: Server): AgnoChatError =>
  new AgnoChatError("MODEL_NOT_FOUND", `${host} lists no models at ${baseUrl.pathname}.`, {
    hint: "Name the model yourself, or check the base URL: it usually ends in /v1.",
    hintId: "choose-model",
  });

/** `{data: [{id}]}`, or the list alone. */
function namesIn(document: string, server: Server): string[] {
  const parsed = parseChunk(document, server);
  const models = Array.isArray(parsed) ? parsed : record(parsed).data;
  if (Array.isArray(models))
    return list(models)
      .map((model) => string(record(model).id))
      .filter(Boolean);
  throw new AgnoChatError("MODEL_BAD_RESPONSE", `${server.host} did not send a list of models.`, {
    hint: "Name the model yourself, or check the base URL: it usually ends in /v1.",
    hintId: "choose-model",
  });
}
