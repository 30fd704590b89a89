import { Agent, OpenAIProvider, Runner } from "@openai/agents";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { introduction, overlapping, serveV1, serveWithTokens, TWENTY } from "./support.js";

const agent = new Agent({ name: "Guide", instructions: "Be kind.", model: "agno-chat" });

/** An agent of OpenAI's SDK whose model is our server. */
function runnerOf(baseURL: string, { apiKey = "none", useResponses = true } = {}): Runner {
  const openAIClient = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
  const modelProvider = new OpenAIProvider({ openAIClient, useResponses });
  return new Runner({ modelProvider, tracingDisabled: true });
}

test("the OpenAI Agents SDK goes on in a conversation, and from the latest response", async () => {
  const { baseURL, keyOf } = await serveWithTokens(["alice", "bob"]);
  const alice = runnerOf(baseURL, { apiKey: keyOf("alice") });
  const bob = runnerOf(baseURL, { apiKey: keyOf("bob") });
  const trip = { conversationId: "trip" };
  await alice.run(agent, "Oslo", trip);
  await bob.run(agent, "Rome", trip);
  const { finalOutput, lastResponseId } = await alice.run(agent, "Bergen", trip);
  expect(finalOutput).toBe("Heard: Oslo, Bergen");
  expect((await bob.run(agent, "Milan", trip)).finalOutput).toBe("Heard: Rome, Milan");
  const previous = { previousResponseId: lastResponseId as string };
  const later = await alice.run(agent, "Voss", previous);
  expect(later.finalOutput).toBe("Heard: Oslo, Bergen, Voss");
  await expect(bob.run(agent, "Voss", previous)).rejects.toMatchObject({ status: 404 });
});

test("it streams", async () => {
  const { baseURL } = await serveV1();
  const run = await runnerOf(baseURL).run(agent, "Hi", { stream: true });
  let text = "";
  for await (const piece of run.toTextStream()) text += piece;
  expect(text).toBe("Heard: Hi");
  await run.completed;
  expect(run.finalOutput).toBe("Heard: Hi");
});

test("it keeps its own history where its model is chat.completions", async () => {
  const { baseURL, memory } = await serveV1();
  const runner = runnerOf(baseURL, { useResponses: false });
  const one = await runner.run(agent, "One");
  const two = await runner.run(agent, [...one.history, { role: "user", content: "Two" }]);
  expect(two.finalOutput).toBe("Heard: One, Two");
  const run = await runner.run(agent, "Hi", { stream: true });
  await run.completed;
  expect(run.finalOutput).toBe("Heard: Hi");
  expect(memory.users()).toEqual([]);
});

test("20 users at once with a token each are told their own alone", async () => {
  const { baseURL, keyOf } = await serveWithTokens(TWENTY, overlapping(TWENTY.length));
  const say = async (userId: string) => {
    const runner = runnerOf(baseURL, { apiKey: keyOf(userId) });
    return (await runner.run(agent, introduction(userId))).finalOutput;
  };
  const replies = await Promise.all(TWENTY.map(say));
  expect(replies).toEqual(TWENTY.map((userId) => `Heard: I am ${userId}`));
});
