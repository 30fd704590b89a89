import { ERROR_TABLE } from "../../errors.js";

/** JSON Schema, draft 2020-12, as OpenAPI 3.1 uses it. */
export type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: "string" };
const flag: Schema = { type: "boolean" };
const count: Schema = { type: "integer", minimum: 0 };
const time: Schema = { type: "string", format: "date-time" };

const listOf = (items: Schema): Schema => ({ type: "array", items });
const oneOf = (...values: readonly string[]): Schema => ({ type: "string", enum: values });

/** An object with these fields alone, of which the optional ones may be missing. */
const object = (required: Fields, optional: Fields = {}): Schema => ({
  type: "object",
  properties: { ...required, ...optional },
  required: Object.keys(required),
  additionalProperties: false,
});

type Fields = Readonly<Record<string, Schema>>;

export const ref = (name: SchemaName): Schema => ({ $ref: `#/components/schemas/${name}` });

const userId: Schema = {
  type: "string",
  minLength: 1,
  maxLength: 255,
  description: "Whose data it is. Of an authenticated caller: their own, or left out.",
};

const sessionId: Schema = {
  type: "string",
  minLength: 1,
  maxLength: 255,
  description: "One conversation of the user. Default: `default`.",
};

const messages: Schema = listOf({ $ref: "#/components/schemas/Message" });

const openObject = (description: string): Schema => ({ type: "object", description });

export const SCHEMAS = {
  UserId: userId,
  SessionId: sessionId,
  Failure: object({
    error: { type: "string", description: "What failed and the next step, for people." },
    code: oneOf(...Object.keys(ERROR_TABLE)),
  }),
  ChatRequest: {
    type: "object",
    properties: { user_id: userId, session_id: sessionId, message: { ...text, minLength: 1 } },
    required: ["message"],
  },
  ChatReply: object(
    { user_id: userId, reply: text },
    { finish_reason: { const: "length", description: "The reply was cut at the token limit." } },
  ),
  Message: object(
    {
      id: { ...count, description: "Ascends with every message of the user." },
      role: oneOf("system", "user", "assistant", "tool"),
      content: text,
      runId: text,
      sessionId,
      createdAt: time,
    },
    {
      toolCalls: listOf(object({ id: text, name: text, arguments: text })),
      toolCallId: text,
      isError: flag,
      interrupted: flag,
      finishReason: { const: "length" },
      model: text,
      usage: object({ inputTokens: count, outputTokens: count }, { estimated: flag }),
      historySent: count,
    },
  ),
  HistoryPage: object({
    user_id: userId,
    messages,
    more: { ...flag, description: "Whether there are older messages; with `after`, newer ones." },
  }),
  Found: object({
    user_id: userId,
    found: { ...count, description: "How many messages have the words; counted up to 1,000." },
    hits: {
      type: "array",
      items: object({
        id: count,
        runId: text,
        sessionId: text,
        role: oneOf("system", "user", "assistant", "tool"),
        createdAt: text,
        excerpt: {
          type: "array",
          description: "In a row, the part of the message around the words.",
          items: {
            type: "object",
            properties: { text, isMatch: { const: true } },
            required: ["text"],
          },
        },
      }),
    },
  }),
  Size: object({ user_id: userId, messages: count, runs: count, bytes: count }),
  Export: object({
    user_id: userId,
    messages,
    state: {
      type: "object",
      description: "The state of each session that has any.",
      additionalProperties: { type: "object" },
    },
  }),
  Cleared: object({ user_id: userId, deleted: object({ messages: count, sessions: count }) }),
  Alive: object({ status: { const: "ok" } }),
  Readiness: object({ status: oneOf("ready", "unavailable") }),
  AgentCard: openObject("As the A2A protocol defines it."),
  RpcRequest: {
    type: "object",
    properties: {
      jsonrpc: { const: "2.0" },
      id: { type: ["string", "integer", "null"] },
      method: text,
      params: { type: "object" },
    },
    required: ["jsonrpc", "method"],
  },
  RpcResponse: {
    type: "object",
    properties: {
      jsonrpc: { const: "2.0" },
      id: { type: ["string", "integer", "null"] },
      result: {},
      error: {
        type: "object",
        properties: { code: { type: "integer" }, message: text },
        required: ["code", "message"],
      },
    },
    required: ["jsonrpc", "id"],
    oneOf: [{ required: ["result"] }, { required: ["error"] }],
  },
  OpenAiFailure: object({
    error: object({ message: text, type: text, param: { type: ["string", "null"] }, code: text }),
  }),
  Models: object({
    object: { const: "list" },
    data: listOf(object({ id: text, object: { const: "model" }, created: count, owned_by: text })),
  }),
  ResponsesRequest: {
    type: "object",
    properties: {
      model: { ...text, description: "Any; the agent answers." },
      input: {
        description: "The new message. With `store: false`, a whole chat may be sent.",
        anyOf: [text, listOf({ type: "object" })],
      },
      instructions: { ...text, description: "For this run, after those of the agent." },
      user: userId,
      safety_identifier: userId,
      conversation: { anyOf: [sessionId, object({ id: sessionId })] },
      previous_response_id: text,
      store: flag,
      stream: flag,
    },
    required: ["input"],
  },
  OpenAiResponse: {
    type: "object",
    properties: {
      id: text,
      object: { const: "response" },
      created_at: count,
      status: oneOf("completed", "incomplete"),
      model: text,
      conversation: { anyOf: [object({ id: sessionId }), { type: "null" }] },
      previous_response_id: { type: ["string", "null"] },
      output: listOf(openObject("A message of the assistant.")),
      usage: openObject("Tokens, if the model tells."),
    },
    required: ["id", "object", "created_at", "status", "model", "output"],
  },
  ConversationsRequest: {
    type: "object",
    properties: { items: { type: "array", maxItems: 0 } },
  },
  Conversation: object({
    id: text,
    object: { const: "conversation" },
    created_at: count,
    metadata: openObject("Empty."),
  }),
  CompletionsRequest: {
    type: "object",
    properties: {
      model: { ...text, description: "Any; the agent answers." },
      messages: listOf({ type: "object" }),
      stream: flag,
      stream_options: { type: "object", properties: { include_usage: flag } },
    },
    required: ["messages"],
  },
  Completion: object(
    {
      id: text,
      object: { const: "chat.completion" },
      created: count,
      model: text,
      choices: listOf({ type: "object" }),
    },
    { usage: openObject("Tokens, if the model tells.") },
  ),
  OpenApi: openObject("This document."),
} as const satisfies Readonly<Record<string, Schema>>;

export type SchemaName = keyof typeof SCHEMAS;
