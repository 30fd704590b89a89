import { setImmediate as nextTurn } from "node:timers/promises";
import { vi } from "vitest";
import type { AgnoChatError } from "../../src/errors.js";
import { userMessage } from "../../src/messages.js";
import type { ModelEvent, ModelRequest } from "../../src/models/model.js";
import { OpenAIModel, type OpenAIModelOptions } from "../../src/models/openai.js";
import { stopClock } from "../support/stopped-clock.js";

export const KEY = "sk-test-0123456789abcdef";

export const HELLO: ModelRequest = { messages: [userMessage("Hello")] };

export const open = (baseUrl: string, options: Partial<OpenAIModelOptions> = {}): OpenAIModel =>
  new OpenAIModel({ model: "test-model", apiKey: KEY, baseUrl, ...options });

export const never = (): AbortSignal => new AbortController().signal;

/** All events of one call. */
export async function ask(
  model: OpenAIModel,
  request: ModelRequest = HELLO,
  signal: AbortSignal = never(),
): Promise<ModelEvent[]> {
  const events: ModelEvent[] = [];
  for await (const event of model.stream(request, { signal })) events.push(event);
  return events;
}

export const textOf = (events: readonly ModelEvent[]): string =>
  events.map((event) => (event.type === "text-delta" ? event.text : "")).join("");

/** The events before the failure of a call, and its error. */
export async function askAndFail(
  model: OpenAIModel,
  request: ModelRequest = HELLO,
): Promise<{ events: ModelEvent[]; error: AgnoChatError }> {
  const events: ModelEvent[] = [];
  try {
    for await (const event of model.stream(request, { signal: never() })) events.push(event);
  } catch (thrown) {
    return { events, error: thrown as AgnoChatError };
  }
  throw new Error("it did not fail");
}

/** The first event of a call, and its error once the server has been silent for `ms` after it. */
export async function askThenSilence(
  model: OpenAIModel,
  ms: number,
): Promise<{ event: ModelEvent | undefined; error: AgnoChatError }> {
  stopClock();
  const events = model.stream(HELLO, { signal: never() })[Symbol.asyncIterator]();
  const { value: event } = await events.next();
  const failed = events.next().then(
    () => Promise.reject(new Error("it did not fail")),
    (thrown) => thrown as AgnoChatError,
  );
  await nextTurn();
  vi.advanceTimersByTime(ms);
  return { event, error: await failed };
}

/** Retries without waiting; records the delays. */
export function recordedTiming() {
  const delays: number[] = [];
  const timing = {
    random: () => 0,
    sleep: async (ms: number) => {
      delays.push(ms);
    },
  };
  return { delays, timing };
}
