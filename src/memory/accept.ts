import { AgnoChatError } from "../errors.js";
import type { Message, NewMessage, ToolCall, Usage } from "../messages.js";

/** A message that was checked and holds only known keys. `createdAt` is ISO 8601, UTC, to the millisecond. */
export type AcceptedMessage = Message & {
  readonly runId?: string;
  readonly createdAt?: string;
  readonly model?: string;
  readonly usage?: Usage;
};

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
  const accepted = { ...ownFieldsOf(fields) } as AcceptedMessage & {
    runId?: string;
    createdAt?: string;
  };
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
      return {
        role,
        content,
        toolCallId: textOf(fields.toolCallId, "toolCallId"),
        ...flagOf(fields, "isError"),
      };
    default:
      throw invalid(`its role is not system, user, assistant or tool`);
  }
}

const assistantOf = (fields: Fields, content: string): AcceptedMessage => ({
  role: "assistant",
  content,
  ...(fields.toolCalls === undefined ? {} : { toolCalls: toolCallsOf(fields.toolCalls) }),
  ...flagOf(fields, "interrupted"),
  ...(fields.model === undefined ? {} : { model: textOf(fields.model, "model") }),
  ...(fields.usage === undefined ? {} : { usage: usageOf(fields.usage) }),
});

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
  const { inputTokens, outputTokens, ...rest } = Object(value) as Fields;
  if (!isTokenCount(inputTokens) || !isTokenCount(outputTokens))
    throw invalid("its usage holds no inputTokens and outputTokens");
  return Object.freeze({ inputTokens, outputTokens, ...flagOf(rest, "estimated") });
}

const isTokenCount = (value: unknown): value is number =>
  Number.isFinite(value) && Number(value) >= 0;

function textOf(value: unknown, key: string): string {
  if (typeof value === "string") return value;
  throw invalid(`its ${key} is not a string`);
}

function flagOf<Key extends string>(fields: Fields, key: Key): { readonly [K in Key]?: boolean } {
  const value = fields[key];
  if (value === undefined) return {};
  if (typeof value === "boolean") return { [key]: value } as { readonly [K in Key]?: boolean };
  throw invalid(`its ${key} is not true or false`);
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
