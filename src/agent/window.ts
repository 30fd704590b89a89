import type {
  AssistantMessage,
  Message,
  StoredMessage,
  ToolCall,
  ToolMessage,
} from "../messages.js";

export interface HistoryExtent {
  /** The session's messages, oldest first: at least the most recent `limit` of them and every system message. */
  readonly history: readonly Message[];
  /** Messages ever added to the session, as `Memory.read` counts them. */
  readonly total: number;
  /** The most history messages to send; the current run comes in addition and is always whole. */
  readonly limit: number;
  /** The most of them also when the limit allows more, since that was too long for the model. Default: no fewer. */
  readonly most?: number;
}

export interface WindowInput extends HistoryExtent {
  /** What the agent is told first, whoever asks. */
  readonly instructions?: string | undefined;
  /** The run under way: its user message first. */
  readonly current: readonly Message[];
}

/**
 * What a model is sent: one system message first, then whole runs of history, then the current run. Whatever the
 * memory holds, the result has no orphaned tool message, no unanswered tool call and never two user messages in a row.
 */
export function windowOf({ instructions, current, ...extent }: WindowInput): Message[] {
  const system = systemOf(instructions, extent.history);
  const conversation = system.stored ? extent.history.filter(isConversation) : extent.history;
  const messages: Message[] =
    system.content === "" ? [] : [{ role: "system", content: system.content }];
  appendRepaired(messages, conversation, startOf(conversation, extent));
  appendRepaired(messages, current, 0);
  return messages;
}

/** How many messages of the history are sent, system messages not counted. */
export function sentOf(extent: HistoryExtent): number {
  const conversation = extent.history.filter(isConversation);
  return conversation.length - startOf(conversation, extent);
}

/** Where the history begins that is sent: at the first run that is within all limits. */
function startOf(
  conversation: readonly Message[],
  { total, limit, most = Infinity }: HistoryExtent,
): number {
  let start = conversation.length - Math.min(conversation.length, keptOf(total, limit), most);
  while (start < conversation.length && conversation[start]?.role !== "user") start += 1;
  return start;
}

/**
 * What is left of the `sent` most recent messages when about half of their text goes, the oldest first: how many. It is
 * always fewer, also when there are only a few huge ones.
 */
export function halfOf(history: readonly Message[], sent: number): number {
  const messages = history.filter(isConversation).slice(-sent).reverse();
  const half = messages.reduce((sum, message) => sum + lengthOf(message), 0) / 2;
  let length = 0;
  return messages.findIndex((message) => {
    length += lengthOf(message);
    return length > half;
  });
}

/** In characters, with about what a model needs to tell one message from the next. */
const lengthOf = (message: Message): number => {
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  return calls.reduce((sum, call) => sum + call.arguments.length + 16, message.content.length + 16);
};

const isReplyOf = (model: string, message: StoredMessage): boolean =>
  message.model === model && message.role === "assistant" && message.toolCalls === undefined;

/**
 * How many messages of the history a model can be sent, by what was sent for its latest reply in this session; `Infinity`
 * when the whole was not too long for it.
 */
export function mostFor(model: string, history: readonly StoredMessage[]): number {
  let reply = history.length - 1;
  while (reply >= 0 && !isReplyOf(model, history[reply] as StoredMessage)) reply -= 1;
  const sent = history[reply]?.historySent;
  if (sent === undefined) return Infinity;
  const begin = history.findLastIndex(({ role }, index) => role === "user" && index < reply);
  return history.slice(Math.max(0, begin)).filter(isConversation).length + sent;
}

/**
 * How many of the most recent messages to keep. Beyond the limit the cut moves in steps of a quarter of it, so that the
 * beginning of the prompt stays the same over many runs and a provider's prompt cache survives.
 */
function keptOf(total: number, limit: number): number {
  if (total <= limit) return total;
  const step = Math.max(1, Math.floor(limit / 4));
  return Math.max(0, total - Math.ceil((total - limit) / step) * step);
}

const isConversation = (message: Message): boolean => message.role !== "system";

/** Instructions and stored system messages as one text, none of them twice. */
function systemOf(instructions: string | undefined, history: readonly Message[]) {
  const texts = new Set([instructions ?? ""]);
  let stored = false;
  for (const message of history) {
    if (message.role !== "system") continue;
    stored = true;
    texts.add(message.content);
  }
  texts.delete("");
  return { content: [...texts].join("\n\n"), stored };
}

function appendRepaired(to: Message[], from: readonly Message[], start: number): void {
  for (let index = start; index < from.length; index++) {
    const message = from[index] as Message;
    if (message.role === "user") appendUser(to, message);
    else if (message.role === "assistant") index += appendAssistant(to, message, from, index);
    // A tool message that gets here answers no call: appendAssistant has passed the others by.
  }
}

function appendUser(to: Message[], message: Message): void {
  const last = to[to.length - 1];
  if (last?.role !== "user") to.push(message);
  else to[to.length - 1] = { role: "user", content: `${last.content}\n\n${message.content}` };
}

/** Appends an assistant message with the results that follow it, and tells how many of those it has used up. */
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

/** Each call with its own result, also when a model gave two calls one id. */
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
