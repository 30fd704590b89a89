/** Tokens used, as counted by the provider unless `estimated`. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly estimated?: boolean;
}

/** Whether a value can be a count of `Usage`. */
export const isTokenCount = (value: unknown): value is number =>
  typeof value === "number" && value >= 0 && value < Infinity;

/** Why a reply ended. `length`: the model reached its token limit, so the reply is cut off. */
export type FinishReason = "stop" | "length" | "tool-calls";

/** A tool call requested by the model. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** The text exactly as the model wrote it. Usually JSON, but possibly invalid. */
  readonly arguments: string;
}

/** What a file can be that a model is sent: text in UTF-8, or a picture. */
export const ATTACHMENT_TYPES = [
  "text/plain",
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
] as const;

export type AttachmentType = (typeof ATTACHMENT_TYPES)[number];

/** A file that came with a message. Its content is kept apart from the message, by its hash. */
export interface Attachment {
  /** As its user called it; only shown. */
  readonly name: string;
  readonly type: AttachmentType;
  readonly bytes: number;
  /** SHA-256 of the content, as 64 hexadecimal digits. */
  readonly hash: string;
}

/** Contents of attachments by their hash. */
export type Contents = ReadonlyMap<string, Uint8Array>;

export interface SystemMessage {
  readonly role: "system";
  readonly content: string;
}

export interface UserMessage {
  readonly role: "user";
  readonly content: string;
  /** Never empty. */
  readonly attachments?: readonly Attachment[];
}

export interface AssistantMessage {
  readonly role: "assistant";
  readonly content: string;
  readonly toolCalls?: readonly ToolCall[];
  /** The run was cancelled during the reply; `content` is what had been shown. */
  readonly interrupted?: boolean;
  /**
   * The model stopped at its token limit, so the reply is cut off. Absent from a complete reply.
   */
  readonly finishReason?: "length";
}

export interface ToolMessage {
  readonly role: "tool";
  readonly content: string;
  readonly toolCallId: string;
  readonly isError?: boolean;
}

/** One message of a conversation. A run begins at a user message. */
export type Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage;

/** What a memory adds to a message when it stores it. */
export interface StoredFields {
  /** Ascends with every message of its user; unique until the user is cleared. */
  readonly id: number;
  readonly runId: string;
  readonly sessionId: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** The name of the model that wrote it. Assistant messages only. */
  readonly model?: string;
  readonly usage?: Usage;
  /**
   * How many messages of the history the model was sent for this reply, if the whole history was
   * too long for it. The next run starts its history at the same message. Does not count system
   * messages. Final assistant messages only.
   */
  readonly historySent?: number;
}

/** A message as a memory returns it. */
export type StoredMessage = Message & StoredFields;

/**
 * A message to add to a memory. The memory keeps the stored fields it already has and fills in the
 * rest, except `id` and `sessionId`, which the memory always sets.
 */
export type NewMessage = Message & Partial<StoredFields>;

/**
 * A message for the model alone, such as an instruction of one session.
 * @example
 * const memory = new InMemory();
 * memory.add(systemMessage("Answer in French."), "alice", { sessionId: "french" });
 */
export const systemMessage = (content: string): SystemMessage => ({ role: "system", content });

/**
 * What the user wrote. It begins a run.
 * @example
 * const memory = new InMemory();
 * memory.add([userMessage("Hi"), assistantMessage("Hello")], "alice");
 */
export const userMessage = (content: string): UserMessage => ({ role: "user", content });

/** What the user wrote, and the files that came with it. */
export const attachedMessage = (
  content: string,
  attachments: readonly Attachment[] = NO_ATTACHMENTS,
): UserMessage =>
  attachments.length > 0 ? { role: "user", content, attachments } : userMessage(content);

const NO_ATTACHMENTS: readonly Attachment[] = [];

/**
 * A reply of the model, perhaps with the tools it calls.
 * @example
 * const call = { id: "call-1", name: "current_time", arguments: "{}" };
 * const messages = [
 *   userMessage("What time is it?"),
 *   assistantMessage("", [call]),
 *   toolMessage(call.id, "12:00"),
 *   assistantMessage("It is noon."),
 * ];
 * console.log(new InMemory().add(messages, "alice").length); // 4
 */
export const assistantMessage = (
  content: string,
  toolCalls: readonly ToolCall[] = [],
): AssistantMessage =>
  toolCalls.length > 0 ? { role: "assistant", content, toolCalls } : { role: "assistant", content };

/**
 * The result of one tool call, or its error.
 * @example
 * const result = toolMessage("call-1", "There is no such city.", true);
 * console.log(result.isError); // true
 */
export const toolMessage = (toolCallId: string, content: string, isError = false): ToolMessage =>
  isError ? { role: "tool", content, toolCallId, isError } : { role: "tool", content, toolCallId };

/** The message without the fields that a memory adds. */
export function plainMessage(message: Message): Message {
  if (message.role === "assistant") {
    const { role, content, toolCalls, interrupted, finishReason } = message;
    return {
      ...{ role, content },
      ...(toolCalls === undefined ? {} : { toolCalls }),
      ...(interrupted === undefined ? {} : { interrupted }),
      ...(finishReason === undefined ? {} : { finishReason }),
    };
  }
  if (message.role === "tool")
    return toolMessage(message.toolCallId, message.content, message.isError);
  if (message.role === "user") return attachedMessage(message.content, message.attachments);
  return systemMessage(message.content);
}

/** The attachments of any message. */
export const attachmentsOf = (message: Message): readonly Attachment[] =>
  (message.role === "user" && message.attachments) || NO_ATTACHMENTS;

/** Whether any of these messages has attachments. */
export function haveAttachments(messages: readonly Message[]): boolean {
  // Not `some`: every run asks this of its whole history.
  for (let index = 0; index < messages.length; index++) {
    const message = messages[index] as Message;
    if (message.role === "user" && message.attachments !== undefined) return true;
  }
  return false;
}

/** What somebody has written in a message: also arguments of tool calls, and names of files. */
export const textsOf = (message: Message): string[] => [
  message.content,
  ...callsOf(message).map((call) => call.arguments),
  ...attachmentsOf(message).map(({ name }) => name),
];

/** The hashes of the attachments of these messages, each once. */
export function hashesOf(messages: readonly Message[]): string[] {
  const hashes = new Set<string>();
  for (const message of messages) for (const { hash } of attachmentsOf(message)) hashes.add(hash);
  return [...hashes];
}

/** The tool calls of any message. */
export const callsOf = (message: Message): readonly ToolCall[] =>
  (message.role === "assistant" && message.toolCalls) || [];
