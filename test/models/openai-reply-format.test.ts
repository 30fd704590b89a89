import { afterEach, beforeEach, expect, it } from "vitest";
import { userMessage } from "../../src/messages.js";
import type { JsonSchema, ModelRequest } from "../../src/models/model.js";
import { ModelServer, status, streamedText } from "../support/model-server.js";
import { ask, askAndFail, open, textOf } from "./openai-support.js";

const text = { type: "string" };
const CLOSED = {
  type: "object",
  properties: { name: text },
  required: ["name"],
  additionalProperties: false,
};
const OPEN = { type: "object", properties: { name: text } };

const asking = (replySchema: JsonSchema): ModelRequest => ({
  messages: [userMessage("Who?")],
  replySchema,
});

let server: ModelServer;
beforeEach(async () => {
  server = await ModelServer.start(streamedText("{}"));
});
afterEach(() => server.close());

const formats = () => server.requests.map(({ body }) => body.response_format);

const refused = (message: string, code = 400) =>
  status(code, { error: { message, type: "invalid_request_error" } });

it("a reply schema is sent as response_format, and as strict where servers accept that", async () => {
  const model = open(server.url);
  const list = (items: JsonSchema) => ({
    ...CLOSED,
    properties: { name: { type: "array", items } },
  });
  for (const schema of [CLOSED, OPEN, list(CLOSED), list(OPEN), { ...CLOSED, required: [] }])
    await ask(model, asking(schema));
  const strict = [true, undefined, true, undefined, undefined];
  expect(formats().map(({ json_schema }) => json_schema.strict)).toEqual(strict);
  expect(formats()[0]).toEqual({
    type: "json_schema",
    json_schema: { name: "reply", schema: CLOSED, strict: true },
  });
});

it("no response_format is sent without a schema", async () => {
  await ask(open(server.url));
  expect(server.requests[0]?.body).not.toHaveProperty("response_format");
});

it("a server that does not know response_format is asked without it, then and from then on", async () => {
  server.reply(refused("Unknown parameter: 'response_format'"), streamedText("{}"));
  const model = open(server.url);
  expect(textOf(await ask(model, asking(CLOSED)))).toBe("{}");
  await ask(model, asking(CLOSED));
  expect(formats().map((format) => format !== undefined)).toEqual([true, false, false]);
});

it("a server that refuses one schema is sent the next one all the same", async () => {
  server.reply(
    refused("Invalid schema for response_format 'reply': 'allOf' is not permitted."),
    streamedText("{}"),
  );
  const model = open(server.url);
  await ask(model, asking(CLOSED));
  server.reply(refused("failed to parse grammar", 422), streamedText("{}"));
  await ask(model, asking(CLOSED));
  expect(formats().map((format) => format !== undefined)).toEqual([true, false, true, false]);
});

it("any other refusal is the failure of the call", async () => {
  server.reply(refused("The prompt is bad."));
  const { error } = await askAndFail(open(server.url), asking(CLOSED));
  expect(error.code).toBe("MODEL_REJECTED");
  expect(server.requests).toHaveLength(1);
});
