import { isPicture } from "../attachments.js";
import {
  type AssistantMessage,
  attachedMessage,
  attachmentsOf,
  type Message,
  type StoredMessage,
  type ToolCall,
  type ToolMessage,
} from "../messages.js";
import { PICTURE_TOKENS } from "../models/estimate-usage.js";

export interface HistoryExtent {
  /**
   * Messages of the session, oldest first: at least the latest `limit` of them and all system
   * messages.
   */
  readonly history: readonly Message[];
  /** How many messages were ever added to the session, as `Memory.read` counts them. */
  readonly total: number;
  /** The most history messages to send. The current run is always sent whole, in addition. */
  readonly limit: number;
  /** The most history messages that are within `historyTokens`. Default: all. */
  readonly tokenLimit?: number;
  /** The most history messages that fit the model, as far as is known. Default: all. */
  readonly modelLimit?: number;
}

export interface WindowInput extends HistoryExtent {
  /** The system prompt of the agent. */
  readonly instructions?: string | undefined;
  /** Whether the history is plain, so that it needs no repair; see `checkHistory`. Default: no. */
  readonly isPlain?: boolean;
  /** The messages of the run under way, its user message first. */
  readonly current: readonly Message[];
}

/**
 * The messages to send to a model: one system message, whole runs of history, the current run.
 * Whatever the history contains, the result has no tool message without its call, no call without
 * its result, and never two user messages in a row.
 */
export function windowOf(input: WindowInput): Message[] {
  const { instructions = "", history, isPlain = false, current } = input;
  const conversation = isPlain ? history : history.filter(isConversation);
  const content = isPlain ? instructions : joinedSystem(instructions, history);
  const messages: Message[] = content === "" ? [] : [{ role: "system", content }];
  const start = startOf(conversation, input);
  if (isPlain && current.length <= 1) {
    const sent = start === 0 ? conversation : conversation.slice(start);
    return messages.concat(sent, current);
  }
  appendRepaired(messages, conversation, start);
  appendRepaired(messages, current, 0);
  return messages;
}

/** How many messages of the history are sent, not counting system messages. */
export function sentCount(extent: HistoryExtent): number {
  const conversation = extent.history.filter(isConversation);
  return conversation.length - startOf(conversation, extent);
}

/** The index of the first message to send: the first run that is within all limits. */
function startOf(
  conversation: readonly Message[],
  { total, limit, tokenLimit = Infinity, modelLimit = Infinity }: HistoryExtent,
): number {
  const count = Math.min(conversation.length, countWithin(limit, total), tokenLimit, modelLimit);
  let start = conversation.length - count;
  while (start < conversation.length && conversation[start]?.role !== "user") start += 1;
  return start;
}

/**
 * How many of the latest `sent` messages are left if about half of their text is dropped, oldest
 * first. Always fewer than `sent`, even for a few huge messages.
 */
export function halvedCount(history: readonly Message[], sent: number): number {
  const messages = history.filter(isConversation).slice(-sent).reverse();
  const half = messages.reduce((sum, message) => sum + lengthOf(message), 0) / 2;
  let length = 0;
  return messages.findIndex((message) => {
    length += lengthOf(message);
    return length > half;
  });
}

/** In characters, including an estimate of attachments and of what separates messages and calls. */
const lengthOf = (message: Message): number => {
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  const attached = attachmentsOf(message).reduce(
    (sum, { type, bytes }) => sum + (isPicture(type) ? PICTURE_CHARACTERS : bytes),
    message.content.length + 16,
  );
  return calls.reduce((sum, call) => sum + call.arguments.length + 16, attached);
};

const PICTURE_CHARACTERS = 4 * PICTURE_TOKENS;

const isReplyOf = (model: string, message: StoredMessage): boolean =>
  message.model === model && message.role === "assistant" && message.toolCalls === undefined;

/**
 * How many messages of the history fit the model: as many as since the first one that was sent for
 * its latest reply. `Infinity` if nothing had to be dropped for that reply.
 */
export function modelLimitFor(model: string, history: readonly StoredMessage[]): number {
  let reply = history.length - 1;
  while (reply >= 0 && !isReplyOf(model, history[reply] as StoredMessage)) reply -= 1;
  // Asking an array for element -1 is slow.
  const sent = reply < 0 ? undefined : history[reply]?.historySent;
  if (sent === undefined) return Infinity;
  const begin = history.findLastIndex(({ role }, index) => role === "user" && index < reply);
  return history.slice(Math.max(0, begin)).filter(isConversation).length + sent;
}

/**
 * How many of the latest messages to keep. Beyond the limit the cut moves in steps of a quarter of
 * it, so that the prompt begins the same for many runs and the provider's prompt cache stays valid.
 */
function countWithin(limit: number, total: number): number {
  if (total <= limit) return total;
  const step = Math.max(1, Math.floor(limit / 4));
  return Math.max(0, total - Math.ceil((total - limit) / step) * step);
}

const isConversation = (message: Message): boolean => message.role !== "system";

/** Joins the instructions and the stored system messages, without repetitions. */
function joinedSystem(instructions: string, history: readonly Message[]): string {
  const texts = new Set([instructions]);
  for (const { role, content } of history) if (role === "system") texts.add(content);
  texts.delete("");
  return [...texts].join("\n\n");
}

function appendRepaired(to: Message[], from: readonly Message[], start: number): void {
  for (let index = start; index < from.length; index++) {
    const message = from[index] as Message;
    if (message.role === "user") appendUser(to, message);
    else if (message.role === "assistant") index += appendAssistant(to, message, from, index);
    // A tool message seen here has no call: appendAssistant consumes all others.
  }
}

function appendUser(to: Message[], message: Message): void {
  const last = to[to.length - 1];
  if (last?.role !== "user") to.push(message);
  else
    to[to.length - 1] = attachedMessage(`${last.content}\n\n${message.content}`, [
      ...attachmentsOf(last),
      ...attachmentsOf(message),
    ]);
}

/** Appends an assistant message and its tool results. Returns how many results followed it. */
function appendAssistant(
  to: Message[],
  message: AssistantMessage,
  from: readonly Message[],
  index: number,
): number {
  if (message.toolCalls === undefined || message.toolCalls.length === 0) {
    if (message.content !== "") appendText(to, message);
    return 0;
  }
  const results = resultsAfter(from, index);
  const answered = answeredOf(message.toolCalls, results);
  if (answered.length === 0) {
    if (message.content !== "") appendText(to, { role: "assistant", content: message.content });
  } else {
    const whole = answered.length === message.toolCalls.length;
    to.push(
      whole ? message : { ...message, toolCalls: answered.map(({ call }) => call) },
      ...answered.map(({ result }) => result),
    );
  }
  return results.length;
}

/** Pairs each call with its own result, even if two calls have the same id. */
function answeredOf(calls: readonly ToolCall[], results: readonly ToolMessage[]) {
  const unused = [...results];
  return calls.flatMap((call) => {
    const index = unused.findIndex(({ toolCallId }) => toolCallId === call.id);
    return unused.splice(index, index < 0 ? 0 : 1).map((result) => ({ call, result }));
  });
}

function appendText(to: Message[], message: AssistantMessage): void {
  const last = to[to.length - 1];
  if (last?.role === "assistant" && last.toolCalls === undefined)
    to[to.length - 1] = { role: "assistant", content: `${last.content}\n\n${message.content}` };
  else to.push(message);
}

function resultsAfter(from: readonly Message[], index: number): ToolMessage[] {
  const results: ToolMessage[] = [];
  for (let next = index + 1; next < from.length; next++) {
    const message = from[next] as Message;
    if (message.role !== "tool") break;
    results.push(message);
  }
  return results;
}
