/** What one run cost. Tokens, as the provider counted them unless `estimated`. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly estimated?: boolean;
}

/** Why a model ended a reply. `length`: it reached its token limit, so the reply is cut. */
export type FinishReason = "stop" | "length" | "tool-calls";

/** One call of a tool, as the model asked for it. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** The JSON text exactly as the model wrote it; it may be invalid JSON. */
  readonly arguments: string;
}

export interface SystemMessage {
  readonly role: "system";
  readonly content: string;
}

export interface UserMessage {
  readonly role: "user";
  readonly content: string;
}

export interface AssistantMessage {
  readonly role: "assistant";
  readonly content: string;
  readonly toolCalls?: readonly ToolCall[];
  /** The reply was cut off by a cancel; `content` is what had been shown. */
  readonly interrupted?: boolean;
  /** The reply is not whole: the model stopped at its token limit. Absent from a whole one. */
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
  /** Position among all messages of its user, rising; unique until the user is cleared. */
  readonly id: number;
  readonly runId: string;
  readonly sessionId: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** The model that wrote it; assistant messages only. */
  readonly model?: string;
  readonly usage?: Usage;
  /**
   * How many messages of the history the model was sent for this reply, when the whole was too long for it: the next run
   * begins its history at the same place. System messages are not counted; final assistant messages only.
   */
  readonly historySent?: number;
}

/** A message as a memory gives it back. */
export type StoredMessage = Message & StoredFields;

/** A message as a memory takes it: what is already known of it is kept, the rest is filled in. `id` and `sessionId` are always the memory's own. */
export type NewMessage = Message & Partial<StoredFields>;

export const systemMessage = (content: string): SystemMessage => ({ role: "system", content });

export const userMessage = (content: string): UserMessage => ({ role: "user", content });

export const assistantMessage = (
  content: string,
  toolCalls: readonly ToolCall[] = [],
): AssistantMessage =>
  toolCalls.length > 0 ? { role: "assistant", content, toolCalls } : { role: "assistant", content };

export const toolMessage = (toolCallId: string, content: string, isError = false): ToolMessage =>
  isError ? { role: "tool", content, toolCallId, isError } : { role: "tool", content, toolCallId };

/** The message alone, without what a memory added to it. */
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
  return { role: message.role, content: message.content };
}
