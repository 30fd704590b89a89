import OpenAI from "openai";
import { expect, test } from "vitest";
import { hashesOf } from "../../../src/messages.js";
import { ScriptedModel } from "../../../src/testing/scripted-model.js";
import { JPEG, PNG } from "../../support/pictures.js";
import { byKey, introduction, overlapping, serveV1, serveWithTokens, TWENTY } from "./support.js";

const clientOf = (baseURL: string, apiKey = "none") =>
  new OpenAI({ baseURL, apiKey, maxRetries: 0 });

const model = "agno-chat";

test("the client of OpenAI finds the agent as the one model", async () => {
  const { baseURL } = await serveV1();
  const { data } = await clientOf(baseURL).models.list();
  expect(data).toMatchObject([{ id: "agno-chat", object: "model" }]);
});

test("it goes on in a conversation of its user, and each user has their own", async () => {
  const { baseURL, memory } = await serveV1();
  const { responses } = clientOf(baseURL);
  const say = (user: string, input: string) =>
    responses.create({ model, input, conversation: "trip", safety_identifier: user });
  await say("alice", "Oslo");
  await say("bob", "Rome");
  const alice = await say("alice", "Bergen");
  const bob = await say("bob", "Milan");
  expect(alice.output_text).toBe("Heard: Oslo, Bergen");
  expect(bob.output_text).toBe("Heard: Rome, Milan");
  expect(alice.conversation).toEqual({ id: "trip" });
  expect(alice.usage).toMatchObject({ input_tokens: 3, output_tokens: 2, total_tokens: 5 });
  expect(memory.getMessages("alice", { sessionId: "trip" })).toHaveLength(4);
});

test("it goes on from the latest response, with and without a user", async () => {
  const { baseURL } = await serveV1();
  const { responses } = clientOf(baseURL);
  for (const user of [{ user: "alice" }, {}]) {
    const one = await responses.create({ model, input: "One", ...user });
    const previous_response_id = one.id;
    const two = await responses.create({ model, input: "Two", previous_response_id, ...user });
    expect(two.output_text).toBe("Heard: One, Two");
    expect(two.previous_response_id).toBe(one.id);
    const late = responses.create({ model, input: "Three", previous_response_id, ...user });
    await expect(late).rejects.toMatchObject({ status: 400, param: "previous_response_id" });
  }
});

test("it goes on in a conversation that it has created, without a user", async () => {
  const { baseURL } = await serveV1();
  const { responses, conversations } = clientOf(baseURL);
  const [one, two] = [await conversations.create(), await conversations.create()];
  await responses.create({ model, input: "One", conversation: one.id });
  await responses.create({ model, input: "Two", conversation: { id: two.id } });
  const last = await responses.create({ model, input: "Three", conversation: one.id });
  expect(last.output_text).toBe("Heard: One, Three");
  expect(last.conversation).toEqual({ id: one.id });
});

test("it streams a response, and puts the same response together", async () => {
  const { baseURL } = await serveV1();
  const stream = clientOf(baseURL).responses.stream({ model, input: "Hi", user: "alice" });
  const types: string[] = [];
  for await (const { type, sequence_number } of stream) {
    expect(sequence_number).toBe(types.length);
    types.push(type);
  }
  expect(types).toEqual([
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
  ]);
  expect(await stream.finalResponse()).toMatchObject({
    status: "completed",
    output_text: "Heard: Hi",
    usage: { total_tokens: 5 },
  });
});

test("it completes chats that are kept nowhere", async () => {
  const { baseURL, memory } = await serveV1();
  const { chat } = clientOf(baseURL);
  const messages: OpenAI.ChatCompletionMessageParam[] = [
    { role: "user", content: "One" },
    { role: "assistant", content: "Heard: One" },
    { role: "user", content: [{ type: "text", text: "Two" }] },
  ];
  const request = { model, messages, user: "alice" };
  const { choices, usage } = await chat.completions.create(request);
  expect(choices[0]).toMatchObject({
    finish_reason: "stop",
    message: { role: "assistant", content: "Heard: One, Two" },
  });
  expect(usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 });
  const stream = chat.completions.stream({ ...request, stream_options: { include_usage: true } });
  const streamed = await stream.finalChatCompletion();
  expect(streamed.choices[0]?.message.content).toBe("Heard: One, Two");
  expect(streamed.usage?.total_tokens).toBe(5);
  expect(memory.users()).toEqual([]);
});

test("two people with a token each go on in their own history alone", async () => {
  const { baseURL, keyOf } = await serveWithTokens(["alice", "bob"]);
  const [alice, bob] = [clientOf(baseURL, keyOf("alice")), clientOf(baseURL, keyOf("bob"))];
  const hers = await alice.responses.create({ model, input: "I am Alice" });
  const his = await bob.responses.create({ model, input: "I am Bob" });
  expect([hers.output_text, his.output_text]).toEqual(["Heard: I am Alice", "Heard: I am Bob"]);
  const previous_response_id = hers.id;
  const stolen = bob.responses.create({ model, input: "Who am I?", previous_response_id });
  const made = bob.responses.create({ model, input: "Who?", previous_response_id: "resp_1" });
  const [one, other] = await Promise.allSettled([stolen, made]);
  expect(one).toMatchObject({ status: "rejected", reason: { status: 404 } });
  expect(other).toMatchObject({ reason: { error: (one as PromiseRejectedResult).reason.error } });
  const next = await alice.responses.create({ model, input: "Hi", previous_response_id });
  expect(next.output_text).toBe("Heard: I am Alice, Hi");
});

test("it throws what the server refuses, with status, code and field", async () => {
  const { baseURL } = await serveV1(byKey);
  const { responses, chat, models } = clientOf(baseURL, "key-of-alice");
  const bob = responses.create({ model, input: "Hi", user: "bob" });
  await expect(bob).rejects.toMatchObject({ status: 403, type: "permission_error", param: "user" });
  const tools = [{ type: "function" as const, name: "f", parameters: {}, strict: true }];
  await expect(responses.create({ model, input: "Hi", tools })).rejects.toMatchObject({
    status: 400,
    param: "tools",
  });
  await expect(chat.completions.create({ model, messages: [] })).rejects.toThrow("user's");
  await expect(models.retrieve("other")).rejects.toMatchObject({ status: 404, code: "not_found" });
  const stranger = clientOf(baseURL, "key");
  await expect(stranger.models.list()).rejects.toMatchObject({
    status: 401,
    code: "invalid_api_key",
  });
  await expect(stranger.responses.create({ model, input: "Hi" })).rejects.toMatchObject({
    status: 401,
  });
});

test("it throws when a stream fails after its first words", async () => {
  const broken = () => ({ text: "Well", error: new Error("secret") });
  const { baseURL } = await serveV1({ model: new ScriptedModel(broken) });
  const { responses, chat } = clientOf(baseURL);
  const read = async (events: AsyncIterable<unknown>) => {
    for await (const _ of events);
  };
  const messages = [{ role: "user" as const, content: "Hi" }];
  for (const stream of [
    await responses.create({ model, input: "Hi", user: "alice", stream: true }),
    await chat.completions.create({ model, messages, stream: true }),
  ])
    await expect(read(stream)).rejects.toThrow("The model sent an invalid answer.");
});

test("20 users at once, each with a token and a client of their own, are told their own alone", async () => {
  const { baseURL, memory, keyOf } = await serveWithTokens(TWENTY, overlapping(TWENTY.length));
  const say = async (userId: string) => {
    const { responses } = clientOf(baseURL, keyOf(userId));
    const stream = responses.stream({ model, input: introduction(userId), conversation: "one" });
    return (await stream.finalResponse()).output_text;
  };
  const replies = await Promise.all(TWENTY.map(say));
  expect(replies).toEqual(TWENTY.map((userId) => `Heard: I am ${userId}`));
  for (const userId of TWENTY)
    expect(memory.getMessages(userId).map(({ content }) => content)).toEqual([
      `I am ${userId}`,
      `Heard: I am ${userId}`,
    ]);
});

test("it sends pictures with a chat, each with its own message, and nothing is kept", async () => {
  const shown: string[][] = [];
  const model = new ScriptedModel(({ messages, pictures }) => {
    const hashes = messages.flatMap((message) => hashesOf([message]));
    shown.push(hashes.map((hash) => Buffer.from(pictures?.get(hash) ?? []).toString("base64")));
    return { text: "A cat." };
  });
  const { baseURL, memory } = await serveV1({ model });
  const { completions } = clientOf(baseURL).chat;
  const said = (text: string, bytes: Uint8Array) => ({
    role: "user" as const,
    content: [
      { type: "text" as const, text },
      { type: "image_url" as const, image_url: { url: dataUrlOf(bytes) } },
    ],
  });
  const messages = [
    said("What is this?", PNG),
    { role: "assistant" as const, content: "A dog." },
    said("And this?", JPEG),
  ];
  const whole = await completions.create({ model: "agno-chat", messages });
  expect(whole.choices[0]?.message.content).toBe("A cat.");
  const stream = await completions.create({ model: "agno-chat", messages, stream: true });
  let text = "";
  for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
  expect(text).toBe("A cat.");
  const sent = [PNG, JPEG].map((bytes) => Buffer.from(bytes).toString("base64"));
  expect(shown).toEqual([sent, sent]);
  expect(memory.users()).toEqual([]);
});

test("it is told why a picture is refused", async () => {
  const { baseURL } = await serveV1();
  const image_url = { url: "https://example.com/cat.png" };
  const content = [{ type: "image_url" as const, image_url }];
  const asked = clientOf(baseURL).chat.completions.create({
    model,
    messages: [{ role: "user", content }],
  });
  await expect(asked).rejects.toMatchObject({
    status: 400,
    param: "messages[0].content[0]",
    message: expect.stringContaining("nothing else is fetched"),
  });
});

const dataUrlOf = (bytes: Uint8Array): string =>
  `data:image/png;base64,${Buffer.from(bytes).toString("base64")}`;
