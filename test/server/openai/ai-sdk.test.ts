import { createOpenAI, type OpenAIResponsesProviderOptions } from "@ai-sdk/openai";
import { APICallError, generateText, type ModelMessage, streamText } from "ai";
import { expect, test } from "vitest";
import { introduction, overlapping, serveV1, serveWithTokens, TWENTY } from "./support.js";

const providerOf = (baseURL: string, apiKey = "none") => createOpenAI({ baseURL, apiKey });

const options = (openai: OpenAIResponsesProviderOptions) => ({ providerOptions: { openai } });

const CHAT: ModelMessage[] = [
  { role: "user", content: "One" },
  { role: "assistant", content: "Heard: One" },
  { role: "user", content: "Two" },
];

test("the AI SDK goes on in a conversation of its user", async () => {
  const { baseURL } = await serveV1();
  const model = providerOf(baseURL).responses("agno-chat");
  const say = async (user: string, prompt: string) => {
    const more = options({ conversation: "trip", user });
    return generateText({ model, prompt, system: "Be kind.", maxRetries: 0, ...more });
  };
  await say("alice", "Oslo");
  await say("bob", "Rome");
  const { text, usage } = await say("alice", "Bergen");
  expect(text).toBe("Heard: Oslo, Bergen");
  expect(usage).toMatchObject({ inputTokens: 3, outputTokens: 2 });
  expect((await say("bob", "Milan")).text).toBe("Heard: Rome, Milan");
});

test("it goes on from the latest response, streamed", async () => {
  const { baseURL } = await serveV1();
  const model = providerOf(baseURL).responses("agno-chat");
  const one = streamText({ model, prompt: "One" });
  expect(await one.text).toBe("Heard: One");
  const previousResponseId = (await one.providerMetadata)?.openai?.responseId as string;
  const two = streamText({ model, prompt: "Two", ...options({ previousResponseId }) });
  expect(await two.text).toBe("Heard: One, Two");
  expect(await two.finishReason).toBe("stop");
});

test("it sends a whole chat where nothing is to be kept, by both APIs", async () => {
  const { baseURL, memory } = await serveV1();
  const provider = providerOf(baseURL);
  for (const model of [provider.responses("agno-chat"), provider.chat("agno-chat")]) {
    const request = { model, messages: CHAT, ...options({ store: false }) };
    expect((await generateText(request)).text).toBe("Heard: One, Two");
    expect(await streamText(request).text).toBe("Heard: One, Two");
  }
  expect(memory.users()).toEqual([]);
});

test("it is told why a whole chat is refused that is kept here", async () => {
  const { baseURL } = await serveV1();
  const model = providerOf(baseURL).responses("agno-chat");
  const refused = generateText({ model, messages: CHAT, maxRetries: 0 });
  await expect(refused).rejects.toSatisfy(APICallError.isInstance);
  await expect(refused).rejects.toThrow("input has several messages");
});

test.each(["responses", "chat"] as const)(
  "20 users at once with a token each are told their own alone, by %s",
  async (api) => {
    const { baseURL, keyOf } = await serveWithTokens(TWENTY, overlapping(TWENTY.length));
    const say = (userId: string) =>
      streamText({
        model: providerOf(baseURL, keyOf(userId))[api]("agno-chat"),
        prompt: introduction(userId),
      }).text;
    const replies = await Promise.all(TWENTY.map(say));
    expect(replies).toEqual(TWENTY.map((userId) => `Heard: I am ${userId}`));
  },
);
