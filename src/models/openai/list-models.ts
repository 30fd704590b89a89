import { AgnoChatError } from "../../errors.js";
import { Call } from "./call.js";
import { Client } from "./client.js";
import { failureOf } from "./failure.js";
import { list, record, string } from "./json.js";
import { parseChunk } from "./parse-chunk.js";
import { Server, type ServerOptions } from "./server.js";
import { eventsIn } from "./sse.js";

export interface ListModelsOptions extends ServerOptions {
  readonly signal: AbortSignal;
}

/**
 * The names of the models that a server offers, in its order.
 * @throws {AgnoChatError} what `OpenAIModel` throws; a failed call is not tried again
 */
export async function listModels({ signal, ...options }: ListModelsOptions): Promise<string[]> {
  signal.throwIfAborted();
  const server = new Server(options);
  const call = new Call(server, signal);
  try {
    const { body } = await new Client(server).models(call);
    for await (const document of eventsIn(call.heard(body))) return namesIn(document, server);
    return namesIn("", server);
  } catch (thrown) {
    signal.throwIfAborted();
    throw failureOf(call.causeOf(thrown), { server, model: "of that name" }).error;
  } finally {
    call.end();
  }
}

/** `{data: [{id}]}`, or the list alone. */
function namesIn(document: string, server: Server): string[] {
  const parsed = parseChunk(document, server);
  const models = Array.isArray(parsed) ? parsed : record(parsed).data;
  if (Array.isArray(models))
    return list(models)
      .map((model) => string(record(model).id))
      .filter(Boolean);
  throw new AgnoChatError("MODEL_BAD_RESPONSE", `${server.host} sent no list of models.`, {
    hint: "Name the model yourself with --model.",
  });
}
