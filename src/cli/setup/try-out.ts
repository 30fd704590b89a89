import { userMessage } from "../../messages.js";
import type { ResolvedEndpoint } from "../model-choice.js";
import { signalWithin } from "../time-limit.js";

/** How long a server may stay silent while it lists its models. */
const LIST_LIMIT_MS = 10_000;

/** Characters of the answer to wait for. */
const ENOUGH = 60;

/** @throws {AgnoChatError} what `listModels` throws */
export async function modelsAt(server: ResolvedEndpoint, signal: AbortSignal): Promise<string[]> {
  const { listModels } = await import("../../models/openai.js");
  return listModels({ ...server, idleTimeoutMs: LIST_LIMIT_MS, signal });
}

/**
 * Asks the model and returns the first words of its answer, not sanitised; "" for an empty one.
 * @throws {AgnoChatError} what `OpenAIModel` throws; failures are not retried
 */
export async function firstWords(
  server: ResolvedEndpoint & { readonly model: string },
  { signal, seconds }: { signal: AbortSignal; seconds: number },
): Promise<string> {
  const { OpenAIModel } = await import("../../models/openai.js");
  const model = new OpenAIModel({ ...server, maxRetries: 0 });
  const limit = signalWithin(signal, seconds);
  const messages = [userMessage("Say hello in five words.")];
  let text = "";
  try {
    for await (const event of model.stream({ messages }, limit)) {
      if (event.type === "text-delta") text += event.text;
      if (text.length >= ENOUGH) break;
    }
    return text;
  } finally {
    limit.end();
  }
}
