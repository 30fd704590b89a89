import { isObject } from "../json.js";
import type { A2aVersion } from "./a2a-version.js";

/** What is wrong with a request: an error name of A2A, or of JSON-RPC 2.0 for the envelope. */
export type A2aFaultKind =
  | "ParseError"
  | "InvalidRequest"
  | "RequestMalformedError"
  | "ContentTypeNotSupportedError"
  | "PushNotificationNotSupportedError"
  | "TaskNotFoundError"
  | "VersionNotSupportedError";

/** A request that is refused before the SDK sees it. */
export class A2aFault extends Error {
  override readonly name = "A2aFault";
  readonly kind: A2aFaultKind;

  constructor(kind: A2aFaultKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

export type RpcId = string | number | null;

export interface A2aRequest extends Readonly<Record<string, unknown>> {
  readonly method: string;
  /** Undefined for a notification. */
  readonly id: RpcId | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** @throws {A2aFault} */
export function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new A2aFault("ParseError", "The body is not valid JSON.");
  }
}

/** The id for an error response; null when none can be read. */
export const idIn = (body: unknown): RpcId =>
  isObject(body) && isId(body.id) ? (body.id ?? null) : null;

/**
 * Returns a body as a JSON-RPC request, if it is one.
 * @throws {A2aFault}
 */
export function envelopeOf(body: unknown): A2aRequest {
  if (!isObject(body)) throw invalid("The request must be a JSON object.");
  if (body.jsonrpc !== "2.0") throw invalid('jsonrpc must be "2.0".');
  if (!isId(body.id)) throw invalid("id must be a string or an integer.");
  if (typeof body.method !== "string" || body.method === "")
    throw invalid("method must be a non-empty string.");
  return body as A2aRequest;
}

const isId = (id: unknown): id is RpcId | undefined =>
  id === undefined || id === null || typeof id === "string" || Number.isSafeInteger(id);

/**
 * Checks the type of every field that the method reads. Nothing is filled in, converted or dropped:
 * values that the SDK would silently convert are refused.
 * @throws {A2aFault}
 */
export function checkParams(request: A2aRequest, version: A2aVersion): void {
  const params = paramsOf(request);
  if (isDeeperThan(params, DEEPEST_PARAMS))
    throw malformed(`params are nested deeper than ${DEEPEST_PARAMS} levels.`);
  CHECKS.get(request.method)?.(params, version);
}

/** The SDK walks params recursively, so deeper ones could overflow its stack. */
const DEEPEST_PARAMS = 100;

/** Walks level by level, so that no input can overflow the stack. */
function isDeeperThan(value: unknown, levels: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > levels) return true;
    level = level.flatMap((item) =>
      typeof item === "object" && item !== null ? Object.values(item) : [],
    );
  }
  return false;
}

function paramsOf({ params = {} }: A2aRequest): Fields {
  if (isObject(params)) return params;
  throw malformed("params must be an object.");
}

const CHECKS: ReadonlyMap<string, (params: Fields, version: A2aVersion) => void> = new Map([
  ["SendMessage", checkSend],
  ["SendStreamingMessage", checkSend],
  ["message/send", checkSend],
  ["message/stream", checkSend],
  ["GetTask", checkTaskId],
  ["CancelTask", checkTaskId],
  ["SubscribeToTask", checkTaskId],
  ["tasks/get", checkTaskId],
  ["tasks/cancel", checkTaskId],
  ["tasks/resubscribe", checkTaskId],
  ["ListTasks", checkList],
]);

function checkSend(params: Fields, version: A2aVersion): void {
  optional(params, { tenant: isText, metadata: isObject, configuration: isObject });
  if (isObject(params.configuration)) checkConfiguration(params.configuration);
  if (!isObject(params.message)) throw malformed("message must be an object.");
  checkMessage(params.message, version);
}

function checkConfiguration(configuration: Fields): void {
  optional(configuration, {
    acceptedOutputModes: isTexts,
    historyLength: isCount,
    blocking: isBoolean,
    returnImmediately: isBoolean,
  });
  for (const name of ["pushNotificationConfig", "taskPushNotificationConfig"])
    if (configuration[name] !== undefined)
      throw new A2aFault(
        "PushNotificationNotSupportedError",
        "Push notifications are not supported.",
      );
  const modes = configuration.acceptedOutputModes as string[] | undefined;
  if (modes !== undefined && modes.length > 0 && !modes.some(acceptsText))
    throw new A2aFault("ContentTypeNotSupportedError", "Only text/plain output is supported.");
}

const acceptsText = (mode: string): boolean =>
  ["text/plain", "text/*", "*/*", "text"].includes(essenceOf(mode));

function checkMessage(message: Fields, version: A2aVersion): void {
  optional(message, {
    kind: (kind) => kind === "message",
    contextId: isText,
    taskId: isText,
    metadata: isObject,
    extensions: isTexts,
    referenceTaskIds: isTexts,
  });
  // The SDK prefers these names to those above, so the checked value would not be the one used.
  for (const name of ["message_id", "context_id", "task_id", "reference_task_ids"])
    if (Object.hasOwn(message, name)) throw malformed(`message.${name} is not a field.`);
  if (!isText(message.messageId) || message.messageId === "")
    throw malformed("message.messageId must be a non-empty string.");
  const role = version === "1.0" ? "ROLE_USER" : "user";
  if (message.role !== role) throw malformed(`message.role must be "${role}".`);
  checkParts(message.parts, version);
  if (message.taskId) throw new A2aFault("TaskNotFoundError", "There is no such task.");
}

function checkParts(parts: unknown, version: A2aVersion): void {
  if (!Array.isArray(parts) || parts.length === 0)
    throw malformed("message.parts must be a non-empty array.");
  for (const part of parts) checkPart(part, version);
  if (parts.every(({ text }) => text.trim() === "")) throw malformed("The message is empty.");
}

function checkPart(part: unknown, version: A2aVersion): void {
  if (!isObject(part)) throw malformed("A part must be an object.");
  optional(part, { metadata: isObject, mediaType: isText, media_type: isText, filename: isText });
  const isOther =
    version === "1.0"
      ? ["raw", "url", "data"].some((name) => Object.hasOwn(part, name))
      : part.kind === "file" || part.kind === "data";
  if (isOther) throw new A2aFault("ContentTypeNotSupportedError", "Only text parts are supported.");
  if (version === "0.3" && part.kind !== "text")
    throw malformed('The kind of a part must be "text".');
  if (!isText(part.text)) throw malformed("The text of a part must be a string.");
  for (const type of [part.mediaType, part.media_type])
    if (isText(type) && type !== "" && !isPlainText(type))
      throw new A2aFault("ContentTypeNotSupportedError", "Only text/plain is supported.");
}

const isPlainText = (mediaType: string): boolean => essenceOf(mediaType) === "text/plain";

/** A media type without its parameters. */
const essenceOf = (mediaType: string): string =>
  mediaType.split(";")[0]?.trim().toLowerCase() ?? "";

function checkTaskId({ id }: Fields): void {
  if (!isText(id) || id === "") throw malformed("id must be the id of a task.");
}

function checkList(params: Fields): void {
  optional(params, {
    tenant: isText,
    contextId: isText,
    status: isText,
    pageSize: isCount,
    pageToken: isText,
    historyLength: isCount,
    includeArtifacts: isBoolean,
  });
}

type Check = (value: unknown) => boolean;

function optional(fields: Fields, checks: Readonly<Record<string, Check>>): void {
  for (const [name, check] of Object.entries(checks))
    if (fields[name] !== undefined && !check(fields[name]))
      throw malformed(`${name} has the wrong type.`);
}

const isText = (value: unknown): value is string => typeof value === "string";
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isBoolean = (value: unknown): boolean => typeof value === "boolean";
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;

const invalid = (message: string) => new A2aFault("InvalidRequest", message);
const malformed = (message: string) => new A2aFault("RequestMalformedError", message);
