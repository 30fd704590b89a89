import { answer, eventsOf, JSON_TYPE, type Operation } from "./operation.js";
import { ref, type SchemaName } from "./schemas.js";

const FAILED = { default: answer("A failure, in the shape of OpenAI.", "OpenAiFailure") };

const body = (name: SchemaName, example: object) => ({
  required: true,
  content: { [JSON_TYPE]: { schema: ref(name), example } },
});

/** What clients of OpenAI speak. */
export const OPENAI_PATHS: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  "/v1/models": {
    get: {
      operationId: "models",
      summary: "The agent, as the one model there is.",
      responses: { 200: answer("A list of one.", "Models"), ...FAILED },
    },
  },
  "/v1/responses": {
    post: {
      operationId: "responses",
      summary: "OpenAI's Responses API: sends a message in a conversation that is kept.",
      description:
        "A conversation is a session of the user, `default` without one. previous_response_id " +
        "must be the latest response of its session. An anonymous caller without a user is a new " +
        "one. With `store: false` nothing is read or kept.",
      requestBody: body("ResponsesRequest", {
        user: "alice",
        conversation: "trip",
        input: "What's my name?",
      }),
      responses: {
        200: answer(
          "The response; with `stream`, its events.",
          "OpenAiResponse",
          eventsOf("The events of OpenAI, from `response.created` to `response.completed`."),
        ),
        ...FAILED,
      },
    },
  },
  "/v1/conversations": {
    post: {
      operationId: "conversations",
      summary: "A new name for a conversation, which nobody can guess. Keeps nothing.",
      requestBody: body("ConversationsRequest", {}),
      responses: { 200: answer("The name.", "Conversation"), ...FAILED },
    },
  },
  "/v1/chat/completions": {
    post: {
      operationId: "completions",
      summary: "OpenAI's Chat Completions API: the messages are the whole context.",
      description: "Nothing is read or kept, whoever `user` names.",
      requestBody: body("CompletionsRequest", {
        messages: [{ role: "user", content: "What's my name?" }],
      }),
      responses: {
        200: answer(
          "The completion; with `stream`, its chunks.",
          "Completion",
          eventsOf("The chunks of OpenAI, and `[DONE]`."),
        ),
        ...FAILED,
      },
    },
  },
};
