import { userMessage } from "../../messages.js";
import type { OpenEndpoint } from "../model-choice.js";
import { signalWithin } from "../time-limit.js";

/** A server may be silent for so long before its list of models is given up. */
const LIST_LIMIT_MS = 10_000;

/** Characters of the answer that are waited for. */
const ENOUGH = 60;

/** @throws {AgnoChatError} what `listModels` throws */
export async function modelsAt(server: OpenEndpoint, signal: AbortSignal): Promise<string[]> {
  const { listModels } = await import("../../models/openai.js");
  return listModels({ ...server, idleTimeoutMs: LIST_LIMIT_MS, signal });
}

/**
 * The first words of a real answer, not sanitised; "" when it has none.
 * @throws {AgnoChatError} what `OpenAIModel` throws, at the first failure
 */
export async function firstWords(
  server: OpenEndpoint & { readonly model: string },
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
    limit.clear();
  }
}
