import type OpenAI from "openai";
import { expect, test } from "vitest";
import { Agent } from "../../../src/agent/agent.js";
import type { RunEvent, RunOutput } from "../../../src/agent/events.js";
import {
  CompletionChunks,
  completionObject,
} from "../../../src/server/openai/completion-object.js";
import { errorObject } from "../../../src/server/openai/error-object.js";
import { ResponseEvents } from "../../../src/server/openai/response-events.js";
import {
  finishedResponse,
  type ResponseFrame,
} from "../../../src/server/openai/response-object.js";
import { ScriptedModel } from "../../../src/testing/scripted-model.js";

/** What is sent of an object: the client adds this field. */
type Sent<T> = T extends unknown ? Omit<T, "output_text"> : never;
type SentEvent<T> = T extends { response: infer R }
  ? Omit<T, "response"> & { response: Sent<R> }
  : T;

const frame = { model: "agno-chat", createdAt: 1 };

const frameOf = (run: ResponseFrame["run"]): ResponseFrame => ({
  ...{ ...frame, run, previous: undefined, store: true },
});

async function ran(): Promise<{ events: RunEvent[]; output: RunOutput }> {
  const model = new ScriptedModel([
    { text: "Let me see.", toolCalls: [{ name: "none" }] },
    { text: ["It is ", "noon."], usage: { inputTokens: 1, outputTokens: 2 } },
  ]);
  const stream = new Agent({ model }).stream("Hi", { userId: "alice" });
  const events: RunEvent[] = [];
  for await (const event of stream) events.push(event);
  return { events, output: await stream.result };
}

// Wherever these differ from the types of OpenAI, the tests do not compile.

test("a response and its events are of the types of OpenAI", async () => {
  const { events, output } = await ran();
  const response: Sent<OpenAI.Responses.Response> = finishedResponse(frameOf(output), output);
  const mapping = new ResponseEvents(frameOf);
  const sent: SentEvent<OpenAI.Responses.ResponseStreamEvent>[] = [];
  for (const event of events) sent.push(...mapping.of(event));
  const last = sent.at(-1);
  expect(last?.type).toBe("response.completed");
  expect(last).toMatchObject({ response });
  expect(sent.map(({ sequence_number }) => sequence_number)).toEqual([...sent.keys()]);
});

test("a response that fails is of the types of OpenAI", async () => {
  const { events } = await ran();
  const mapping = new ResponseEvents(frameOf);
  const sent: SentEvent<OpenAI.Responses.ResponseStreamEvent>[] = [];
  for (const event of events.slice(0, 2)) sent.push(...mapping.of(event));
  sent.push(...mapping.failed(new Error("secret")));
  expect(sent.slice(-2).map(({ type }) => type)).toEqual(["error", "response.failed"]);
  expect(JSON.stringify(sent)).not.toContain("secret");
  const unborn = [...new ResponseEvents(frameOf).failed(new Error("secret"))];
  expect(unborn.map(({ type }) => type)).toEqual(["error"]);
});

test("a completion and its chunks are of the types of OpenAI", async () => {
  const { events, output } = await ran();
  const completion: OpenAI.ChatCompletion = completionObject(frame, output);
  const mapping = new CompletionChunks({ ...frame, includeUsage: true });
  const chunks: OpenAI.ChatCompletionChunk[] = [];
  for (const event of events) chunks.push(...mapping.of(event));
  const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("");
  expect(text).toBe(completion.choices[0]?.message.content);
  expect(text).toBe("Let me see.\n\nIt is noon.");
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: completion.usage });
});

test("an error is of the type of OpenAI", () => {
  const error: OpenAI.ErrorObject = errorObject(new Error("secret"));
  expect(error).toEqual({
    message: "The server failed.",
    type: "server_error",
    param: null,
    code: "internal",
  });
});

test("a text that came with the end of the reply alone is sent", async () => {
  const model = {
    name: "late",
    async *stream() {
      yield { type: "finish", reason: "stop", text: "All of it." } as const;
    },
  };
  const events = [];
  for await (const event of new Agent({ model }).stream("Hi", { userId: "a" })) events.push(event);
  const response = new ResponseEvents(frameOf);
  const completion = new CompletionChunks({ ...frame, includeUsage: false });
  for (const mapping of [response, completion]) {
    const sent = JSON.stringify(events.flatMap((event) => [...mapping.of(event)]));
    expect(sent).toContain('"All of it."');
  }
});
