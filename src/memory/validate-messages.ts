import { isFileName } from "../attachments.js";
import { AgnoChatError } from "../errors.js";
import type { SessionId } from "../ids.js";
import {
  type AssistantMessage,
  ATTACHMENT_TYPES,
  type Attachment,
  type AttachmentType,
  isTokenCount,
  type Message,
  type NewMessage,
  type StoredFields,
  type ToolCall,
  type ToolMessage,
  type Usage,
  type UserMessage,
} from "../messages.js";
import { newRunId } from "../run-id.js";
import type { NewRow } from "./store.js";

/** The fields that an add sets on every row. */
export interface AddFields {
  readonly sessionId: SessionId;
  /** ISO 8601, UTC, to the millisecond. */
  readonly createdAt: string;
}

/** The fields that only some messages have. */
type OptionalFields = Partial<
  Omit<UserMessage, "role" | "content"> &
    Omit<AssistantMessage, "role" | "content"> &
    Omit<ToolMessage, "role" | "content"> &
    Pick<StoredFields, "model" | "usage" | "historySent">
>;

type Row = Pick<NewRow, "role" | "content" | "id" | "runId" | "sessionId" | "createdAt"> & {
  -readonly [Key in keyof OptionalFields]: OptionalFields[Key];
};

type Fields = Readonly<Record<string, unknown>>;

const ROLES: ReadonlySet<unknown> = new Set(["system", "user", "assistant", "tool"]);

/**
 * Validates one or many messages and copies them to rows of one session, key by key, so that no
 * unknown key is stored. Keeps the run id and the time that a message already has. A user message
 * starts a run; other messages belong to the run of the message before.
 * @throws {AgnoChatError} `INVALID_MESSAGE`
 */
export function validateMessages(
  messages: NewMessage | readonly NewMessage[],
  fields: AddFields,
): readonly NewRow[] {
  let runId: string | undefined;
  const toRow = (message: unknown): NewRow => {
    const row = validateMessage(message, fields);
    runId = row.runId ??= row.role === "user" ? newRunId() : runId;
    return row;
  };
  return Array.isArray(messages) ? messages.map(toRow) : [toRow(messages)];
}

function validateMessage(message: unknown, { sessionId, createdAt }: AddFields): NewRow {
  if (typeof message !== "object" || message === null) throw invalid("it is not an object");
  const fields = message as Fields;
  // Every row starts with these keys in this order, so that V8 needs few hidden classes.
  const row: Row = {
    role: roleOf(fields.role),
    content: textOf(fields.content, "content"),
    id: 0,
    runId: fields.runId === undefined ? undefined : runIdOf(fields.runId),
    sessionId,
    createdAt: fields.createdAt === undefined ? createdAt : instantOf(fields.createdAt),
  };
  if (row.role === "user" && fields.attachments !== undefined)
    addAttachments(row, fields.attachments);
  if (row.role === "assistant") addAssistantFields(row, fields);
  if (row.role === "tool") addToolFields(row, fields);
  return row as NewRow;
}

function addAttachments(row: Row, value: unknown): void {
  if (!Array.isArray(value)) throw invalid("its attachments are not a list");
  if (value.length > 0) row.attachments = Object.freeze(value.map(attachmentOf));
}

function attachmentOf(value: unknown): Attachment {
  const { name, type, bytes, hash } = Object(value) as Fields;
  if (!isAttachmentType(type)) throw invalid("an attachment is neither text nor a picture");
  if (!Number.isSafeInteger(bytes) || Number(bytes) < 0)
    throw invalid("the bytes of an attachment are not a whole number from 0 up");
  if (typeof hash !== "string" || !SHA_256.test(hash))
    throw invalid("the hash of an attachment is not 64 hexadecimal digits");
  return Object.freeze({ name: fileNameOf(name), type, bytes: Number(bytes), hash });
}

const SHA_256 = /^[0-9a-f]{64}$/;

const isAttachmentType = (value: unknown): value is AttachmentType =>
  ATTACHMENT_TYPES.some((type) => type === value);

function fileNameOf(value: unknown): string {
  if (isFileName(value)) return value;
  throw invalid("the name of an attachment is not 1–255 visible characters");
}

function addAssistantFields(row: Row, fields: Fields): void {
  if (fields.toolCalls !== undefined) row.toolCalls = toolCallsOf(fields.toolCalls);
  if (fields.interrupted !== undefined) row.interrupted = flagOf(fields.interrupted, "interrupted");
  if (fields.finishReason !== undefined) row.finishReason = finishReasonOf(fields.finishReason);
  if (fields.model !== undefined) row.model = textOf(fields.model, "model");
  if (fields.usage !== undefined) row.usage = usageOf(fields.usage);
  if (fields.historySent !== undefined) row.historySent = messageCountOf(fields.historySent);
}

function addToolFields(row: Row, fields: Fields): void {
  row.toolCallId = textOf(fields.toolCallId, "toolCallId");
  if (fields.isError !== undefined) row.isError = flagOf(fields.isError, "isError");
}

function roleOf(value: unknown): Message["role"] {
  if (ROLES.has(value)) return value as Message["role"];
  throw invalid("its role is not system, user, assistant or tool");
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

function messageCountOf(value: unknown): number {
  if (Number.isSafeInteger(value) && Number(value) >= 0) return Number(value);
  throw invalid("its historySent is not a whole number from 0 up");
}

function usageOf(value: unknown): Usage {
  const { inputTokens, outputTokens, estimated } = Object(value) as Fields;
  if (!isTokenCount(inputTokens) || !isTokenCount(outputTokens))
    throw invalid("its usage has no inputTokens and outputTokens");
  if (estimated === undefined) return Object.freeze({ inputTokens, outputTokens });
  return Object.freeze({
    inputTokens,
    outputTokens,
    estimated: flagOf(estimated, "usage estimated"),
  });
}

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

/** Never quotes the message, which is a user's text. */
const invalid = (reason: string): AgnoChatError =>
  new AgnoChatError("INVALID_MESSAGE", `Invalid message: ${reason}.`, {
    hint: "Build messages with userMessage, assistantMessage, systemMessage and toolMessage.",
  });
