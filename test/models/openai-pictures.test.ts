import { afterEach, expect, it } from "vitest";
import { hashOf } from "../../src/attachments.js";
import { type Attachment, assistantMessage, userMessage } from "../../src/messages.js";
import type { ModelRequest } from "../../src/models/model.js";
import { ModelServer, type Reply, status, streamedText } from "../support/model-server.js";
import { JPEG, PNG } from "../support/pictures.js";
import { ask, askAndFail, open } from "./openai-support.js";

let server: ModelServer;
afterEach(() => server.close());

async function opened(reply: Reply = streamedText("A cat.")) {
  server = await ModelServer.start(reply);
  return open(server.url, { maxRetries: 0 });
}

const picture = (name: string, type: Attachment["type"], content: Uint8Array): Attachment => ({
  name,
  type,
  bytes: content.length,
  hash: hashOf(content),
});

const CAT = picture("cat", "image/png", PNG);
const DOG = picture("dog", "image/jpeg", JPEG);

const LOOK: ModelRequest = {
  messages: [{ ...userMessage("What is it?"), attachments: [CAT] }],
  pictures: new Map([[CAT.hash, PNG]]),
};

const urlOf = (type: string, content: Uint8Array): string =>
  `data:${type};base64,${Buffer.from(content).toString("base64")}`;

it("sends pictures as parts after the text of their message, and other messages as text", async () => {
  const model = await opened();
  const notes: Attachment = { ...CAT, name: "notes", type: "text/plain", hash: "0".repeat(64) };
  await ask(model, {
    messages: [
      { ...userMessage("What is it?"), attachments: [CAT, notes, DOG] },
      assistantMessage("A cat and a dog."),
      userMessage("Thanks"),
    ],
    pictures: new Map([
      [DOG.hash, JPEG],
      [CAT.hash, PNG],
    ]),
  });
  expect(server.requests[0]?.body.messages).toEqual([
    {
      role: "user",
      content: [
        { type: "text", text: "What is it?" },
        { type: "image_url", image_url: { url: urlOf("image/png", PNG) } },
        { type: "image_url", image_url: { url: urlOf("image/jpeg", JPEG) } },
      ],
    },
    { role: "assistant", content: "A cat and a dog." },
    { role: "user", content: "Thanks" },
  ]);
});

it("joins the pictures of user messages that an empty reply stood between", async () => {
  const model = await opened();
  const said = { ...userMessage("One"), attachments: [CAT] };
  for (const messages of [
    [said, assistantMessage(""), userMessage("Two")],
    [userMessage("Zero"), assistantMessage(""), said],
  ])
    await ask(model, { ...LOOK, messages });
  const image = { type: "image_url", image_url: { url: urlOf("image/png", PNG) } };
  expect(server.requests.map(({ body }) => body.messages)).toEqual([
    [
      {
        role: "user",
        content: [{ type: "text", text: "One" }, image, { type: "text", text: "Two" }],
      },
    ],
    [
      {
        role: "user",
        content: [{ type: "text", text: "Zero" }, { type: "text", text: "One" }, image],
      },
    ],
  ]);
});

it("counts a picture when the server does not count", async () => {
  const model = await opened();
  const usage = (events: Awaited<ReturnType<typeof ask>>) =>
    events.flatMap((event) => (event.type === "finish" ? [event.usage?.inputTokens] : []))[0] ?? 0;
  const plain = usage(await ask(model, { messages: [userMessage("What is it?")] }));
  expect(usage(await ask(model, LOOK))).toBe(plain + 1_000);
});

it.each<[number, string]>([
  [400, "Invalid content type. image_url is only supported by certain models."],
  [400, "messages[0]: unknown variant `image_url`, expected `text`"],
  [400, "m is not a multimodal model"],
  [422, "messages.0.content must be a string"],
  [500, "image input is not supported - hint: you may need to provide the mmproj"],
])("a server that refuses pictures is explained: %i %s", async (code, message) => {
  const model = await opened(status(code, { error: { message } }));
  const { error } = await askAndFail(model, LOOK);
  expect(error.code).toBe("MODEL_REJECTED");
  expect(error.message).toMatch(new RegExp(`refused the pictures \\(${code}\\): `));
  expect(error.hint).toBe(
    "The model may not look at pictures: use another, or a session without any.",
  );
  const { error: plain } = await askAndFail(model);
  expect(plain.message).not.toContain("pictures");
});

it("another failure is not blamed on the pictures", async () => {
  const model = await opened(status(400, { error: { message: "temperature is too high" } }));
  expect((await askAndFail(model, LOOK)).error.message).toMatch(/refused the request \(400\)/);
});
