import { OPENAI_PATHS } from "./openai-paths.js";
import { answer, eventsOf, JSON_TYPE, type Operation, type Parameter } from "./operation.js";
import { ref, SCHEMAS, type Schema } from "./schemas.js";

/** Defined by the build from package.json. */
declare const AGNO_CHAT_VERSION: string;

const FAILED = { default: answer("A failure: the caller's (4xx) or not (5xx).", "Failure") };

const query = (name: string, schema: Schema, more: Partial<Parameter> = {}): Parameter => ({
  name,
  in: "query",
  schema,
  ...more,
});

const WHOSE: readonly Parameter[] = [
  query("user_id", ref("UserId"), { example: "alice" }),
  query("session_id", ref("SessionId"), { description: "Default: all sessions." }),
];

const messageId: Schema = { type: "integer", minimum: 0 };

const RPC_EXAMPLE = {
  jsonrpc: "2.0",
  id: 1,
  method: "SendMessage",
  params: {
    message: {
      messageId: "1",
      contextId: "alice",
      role: "ROLE_USER",
      parts: [{ text: "What's my name?" }],
    },
  },
};

/** Every method of every path, as `routes.ts` has them. */
const PATHS: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  "/chat": {
    post: {
      operationId: "chat",
      summary: "Sends a message and answers with the reply.",
      description: "A client that hangs up stops the run.",
      requestBody: {
        required: true,
        content: {
          [JSON_TYPE]: {
            schema: ref("ChatRequest"),
            example: { user_id: "alice", message: "My name is Alice" },
          },
        },
      },
      responses: {
        200: answer(
          "The reply; with `Accept: text/event-stream`, the events of the run.",
          "ChatReply",
          eventsOf(
            "`run-start`, `text-delta`, `tool-call`, `tool-result` and `retry`, each with a JSON " +
              "object as its data; last `run-end` with a ChatReply, or `error` with `error`, " +
              "`code` and `stored`: whether the text that was shown is kept.",
          ),
        ),
        ...FAILED,
      },
    },
  },
  "/history": {
    get: {
      operationId: "history",
      summary: "The most recent messages, oldest first.",
      parameters: [
        ...WHOSE,
        query("limit", { type: "integer", minimum: 0, maximum: 1000, default: 100 }),
        query("before", messageId, { description: "Messages before that id." }),
        query("after", messageId, { description: "The first messages after that id." }),
      ],
      responses: { 200: answer("A page of the history.", "HistoryPage"), ...FAILED },
    },
    delete: {
      operationId: "clear",
      summary: "Deletes the history and state of a user, or of one session.",
      description: "A run under way ends and stores nothing.",
      parameters: WHOSE,
      responses: { 200: answer("What was deleted.", "Cleared"), ...FAILED },
    },
  },
  "/search": {
    get: {
      operationId: "search",
      summary: "Messages that have all of these words, the best first.",
      parameters: [
        ...WHOSE,
        query(
          "q",
          { type: "string", maxLength: 500 },
          {
            required: true,
            description: "Words or parts of words; a phrase in quotation marks.",
            example: "name",
          },
        ),
        query("limit", { type: "integer", minimum: 1, maximum: 1000, default: 10 }),
        query("since", { type: "string", format: "date-time" }),
      ],
      responses: { 200: answer("What was found.", "Found"), ...FAILED },
    },
  },
  "/size": {
    get: {
      operationId: "size",
      summary: "How much is kept.",
      parameters: WHOSE,
      responses: { 200: answer("Counts.", "Size"), ...FAILED },
    },
  },
  "/export": {
    get: {
      operationId: "export",
      summary: "Everything that is kept, sent as it is read.",
      description: "If something is deleted meanwhile, the answer is cut off.",
      parameters: WHOSE,
      responses: { 200: answer("All messages and the state.", "Export"), ...FAILED },
    },
  },
  "/a2a": {
    post: {
      operationId: "a2a",
      summary: "JSON-RPC 2.0 of the Agent2Agent protocol.",
      description:
        "The contextId is the user of an anonymous caller and a session of an authenticated one.",
      parameters: [
        {
          name: "A2A-Version",
          in: "header",
          description: "Default: 0.3.",
          schema: { type: "string", enum: ["1.0", "0.3"] },
          example: "1.0",
        },
      ],
      requestBody: {
        required: true,
        content: { [JSON_TYPE]: { schema: ref("RpcRequest"), example: RPC_EXAMPLE } },
      },
      responses: {
        200: answer(
          "A result or an error; for a streaming method, events.",
          "RpcResponse",
          eventsOf("Each event's data is a JSON-RPC response."),
        ),
        204: { description: "A notification was carried out." },
        default: {
          description: "A failure.",
          content: {
            [JSON_TYPE]: { schema: { anyOf: [ref("RpcResponse"), ref("Failure")] } },
          },
        },
      },
    },
  },
  ...OPENAI_PATHS,
  "/.well-known/agent-card.json": {
    get: {
      operationId: "agentCard",
      security: [],
      summary: "The agent and how to reach it over A2A.",
      responses: {
        200: answer("The card.", "AgentCard"),
        304: { description: "The client's copy is current." },
        ...FAILED,
      },
    },
  },
  "/healthz": {
    get: {
      operationId: "alive",
      security: [],
      summary: "Whether the process is alive.",
      responses: { 200: answer("It is.", "Alive"), ...FAILED },
    },
  },
  "/readyz": {
    get: {
      operationId: "ready",
      security: [],
      summary: "Whether the memory answers, too.",
      responses: {
        200: answer("It does.", "Readiness"),
        503: answer("It does not, or the server is shutting down.", "Readiness"),
        ...FAILED,
      },
    },
  },
  "/openapi.json": {
    get: {
      operationId: "openapi",
      security: [],
      summary: "This description.",
      responses: { 200: answer("This document.", "OpenApi"), ...FAILED },
    },
  },
};

export interface DocumentParts {
  readonly name: string;
  /** Whether callers are let in by a token. */
  readonly takesTokens: boolean;
}

/** The API of a server in the form of OpenAPI 3.1. */
export const documentOf = ({ name, takesTokens }: DocumentParts) => ({
  openapi: "3.1.0",
  info: {
    title: name,
    version: AGNO_CHAT_VERSION,
    description:
      "One agent for many users. Whatever answers GET answers HEAD. A path may end with a slash.",
  },
  paths: PATHS,
  components: {
    schemas: SCHEMAS,
    ...(takesTokens ? { securitySchemes: { token: { type: "http", scheme: "bearer" } } } : {}),
  },
  ...(takesTokens ? { security: [{ token: [] }] } : {}),
});
