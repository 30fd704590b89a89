import { AgnoChatError } from "../errors.js";
import type { AssistantMessage, Message, NewMessage, ToolCall, Usage } from "../messages.js";

/** A message that was checked and holds only known keys. `createdAt` is ISO 8601, UTC, to the millisecond. */
export type AcceptedMessage = Message & {
  readonly runId?: string;
  readonly createdAt?: string;
  readonly model?: string;
  readonly usage?: Usage;
};

type Assistant = { -readonly [Key in keyof AssistantMessage]: AssistantMessage[Key] } & {
  model?: string;
  usage?: Usage;
};

type Placed = AcceptedMessage & { runId?: string; createdAt?: string };

type Fields = Readonly<Record<string, unknown>>;

/**
 * One or many messages as a list, each checked and copied key by key, so that nothing unknown is ever stored.
 * @throws {AgnoChatError} `INVALID_MESSAGE`
 */
export const acceptMessages = (
  messages: NewMessage | readonly NewMessage[],
): readonly AcceptedMessage[] =>
  Array.isArray(messages) ? messages.map(acceptMessage) : [acceptMessage(messages)];

function acceptMessage(message: unknown): AcceptedMessage {
  if (typeof message !== "object" || message === null) throw invalid("it is not an object");
  const fields = message as Fields;
  const accepted: Placed = ownFieldsOf(fields);
  if (fields.runId !== undefined) accepted.runId = runIdOf(fields.runId);
  if (fields.createdAt !== undefined) accepted.createdAt = instantOf(fields.createdAt);
  return accepted;
}

function ownFieldsOf(fields: Fields): AcceptedMessage {
  const { role } = fields;
  const content = textOf(fields.content, "content");
  switch (role) {
    case "system":
    case "user":
      return { role, content };
    case "assistant":
      return assistantOf(fields, content);
    case "tool":
      return toolOf(fields, content);
    default:
      throw invalid("its role is not system, user, assistant or tool");
  }
}

function assistantOf(fields: Fields, content: string): AcceptedMessage {
  const message: Assistant = { role: "assistant", content };
  if (fields.toolCalls !== undefined) message.toolCalls = toolCallsOf(fields.toolCalls);
  if (fields.interrupted !== undefined)
    message.interrupted = flagOf(fields.interrupted, "interrupted");
  if (fields.finishReason !== undefined) message.finishReason = finishReasonOf(fields.finishReason);
  if (fields.model !== undefined) message.model = textOf(fields.model, "model");
  if (fields.usage !== undefined) message.usage = usageOf(fields.usage);
  return message;
}

function toolOf(fields: Fields, content: string): AcceptedMessage {
  const toolCallId = textOf(fields.toolCallId, "toolCallId");
  if (fields.isError === undefined) return { role: "tool", content, toolCallId };
  return { role: "tool", content, toolCallId, isError: flagOf(fields.isError, "isError") };
}

function toolCallsOf(value: unknown): readonly ToolCall[] {
  if (!Array.isArray(value)) throw invalid("its toolCalls are not a list");
  return Object.freeze(
    value.map((call: Fields | null) =>
      Object.freeze({
        id: textOf(call?.id, "toolCalls id"),
        name: textOf(call?.name, "toolCalls name"),
        arguments: textOf(call?.arguments, "toolCalls arguments"),
      }),
    ),
  );
}

function usageOf(value: unknown): Usage {
  const { inputTokens, outputTokens, estimated } = Object(value) as Fields;
  if (!isTokenCount(inputTokens) || !isTokenCount(outputTokens))
    throw invalid("its usage holds no inputTokens and outputTokens");
  if (estimated === undefined) return Object.freeze({ inputTokens, outputTokens });
  return Object.freeze({
    inputTokens,
    outputTokens,
    estimated: flagOf(estimated, "usage estimated"),
  });
}

const isTokenCount = (value: unknown): value is number =>
  Number.isFinite(value) && Number(value) >= 0;

function textOf(value: unknown, key: string): string {
  if (typeof value === "string") return value;
  throw invalid(`its ${key} is not a string`);
}

function flagOf(value: unknown, key: string): boolean {
  if (typeof value === "boolean") return value;
  throw invalid(`its ${key} is not true or false`);
}

function finishReasonOf(value: unknown): "length" {
  if (value === "length") return value;
  throw invalid("its finishReason is not length");
}

function runIdOf(value: unknown): string {
  if (typeof value === "string" && value !== "" && value.length <= 255 && value.isWellFormed())
    return value;
  throw invalid("its runId is not a string of 1–255 well-formed characters");
}

const ISO_8601 = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

function instantOf(value: unknown): string {
  const instant = typeof value === "string" && ISO_8601.test(value) ? new Date(value) : undefined;
  if (instant !== undefined && !Number.isNaN(instant.getTime())) return instant.toISOString();
  throw invalid("its createdAt is not an ISO 8601 time with a zone");
}

/** Never quotes the message: it is someone's text. */
const invalid = (reason: string): AgnoChatError =>
  new AgnoChatError("INVALID_MESSAGE", `Invalid message: ${reason}.`, {
    hint: "Build messages with userMessage, assistantMessage, systemMessage and toolMessage.",
  });
