import type { Message, ToolCall } from "../../../src/messages.js";
import type { Model, ModelEvent, ModelRequest } from "../../../src/models/model.js";
import type { FindingKind } from "../../../src/verify/finding.js";

type Options = Parameters<Model["stream"]>[1];

interface Reply {
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
}

/** What a model says to these messages: a server of chat.completions, or a function. */
export type Answerer = (request: ModelRequest, signal: AbortSignal) => Promise<Reply>;

export const served =
  (baseURL: string): Answerer =>
  async ({ messages, tools }, signal) => {
    const response = await fetch(`${baseURL}/chat/completions`, {
      method: "POST",
      body: JSON.stringify({
        model: "any",
        messages: messages.map(wireMessage),
        tools: tools?.map((tool) => ({ type: "function", function: tool })),
      }),
      signal,
    });
    if (!response.ok) throw new Error(`The server answered ${response.status}.`);
    // biome-ignore lint/suspicious/noExplicitAny: the answer of a server
    const { message } = ((await response.json()) as any).choices[0];
    // biome-ignore lint/suspicious/noExplicitAny: the answer of a server
    const toolCalls = (message.tool_calls ?? []).map(({ id, function: call }: any) => ({
      ...{ id, name: call.name, arguments: call.arguments },
    }));
    return { text: message.content ?? "", toolCalls };
  };

function wireMessage(message: Message): object {
  if (message.role === "tool")
    return { role: "tool", content: message.content, tool_call_id: message.toolCallId };
  if (message.role !== "assistant") return { role: message.role, content: message.content };
  const tool_calls = message.toolCalls?.map(({ id, name, arguments: text }) => ({
    ...{ id, type: "function", function: { name, arguments: text } },
  }));
  return { role: "assistant", content: message.content, tool_calls };
}

/** Repeats everything it was told, as some models do. */
export const repeating: Answerer = async ({ messages }) => {
  await new Promise((resolve) => setImmediate(resolve));
  const told = messages.map(({ content }) => content).join(" ");
  return { text: `You said: ${told}`, toolCalls: [] };
};

/** A small model adapter, as people write them. Every part may be replaced by a faulty one. */
export class Adapter implements Model {
  readonly name = "adapter";
  readonly ask: Answerer;

  constructor(ask: Answerer) {
    this.ask = ask;
  }

  async *stream(request: ModelRequest, { signal }: Options): AsyncIterable<ModelEvent> {
    yield* eventsOf(await this.answer(request, signal));
  }

  answer(request: ModelRequest, signal: AbortSignal): Promise<Reply> {
    return this.ask(request, signal);
  }
}

function* eventsOf({ text, toolCalls }: Reply): Generator<ModelEvent> {
  for (const piece of text.match(/.{1,9}/gs) ?? []) yield { type: "text-delta", text: piece };
  for (const call of toolCalls) yield { type: "tool-call", ...call };
  yield { type: "finish", reason: toolCalls.length > 0 ? "tool-calls" : "stop" };
}

const lastText = ({ messages }: ModelRequest): string => messages.at(-1)?.content ?? "";

class RepliesByWords extends Adapter {
  readonly #replies = new Map<string, Reply>();

  override async answer(request: ModelRequest, signal: AbortSignal): Promise<Reply> {
    const words = lastText(request);
    const cached = this.#replies.get(words);
    if (cached !== undefined) return cached;
    const reply = await super.answer(request, signal);
    if (reply.toolCalls.length === 0) this.#replies.set(words, reply);
    return reply;
  }
}

class EarlierPrompts extends Adapter {
  #earlier = "nothing";

  override answer({ messages, ...rest }: ModelRequest, signal: AbortSignal): Promise<Reply> {
    const system = { role: "system", content: `Earlier: ${this.#earlier}` } as const;
    this.#earlier = messages.findLast(({ role }) => role === "user")?.content ?? "";
    return super.answer({ ...rest, messages: [system, ...messages] }, signal);
  }
}

class OneTextBuffer extends Adapter {
  #buffer = "";

  override async *stream(request: ModelRequest, { signal }: Options): AsyncIterable<ModelEvent> {
    const { text, toolCalls } = await this.answer(request, signal);
    this.#buffer += text;
    await new Promise((resolve) => setImmediate(resolve));
    const all = this.#buffer;
    this.#buffer = "";
    yield* eventsOf({ text: all === "" ? "Nothing." : all, toolCalls });
  }
}

/** The pieces of all calls under way come into one list. */
class OneListOfCalls extends Adapter {
  #calls: ToolCall[] = [];

  override async answer(request: ModelRequest, signal: AbortSignal): Promise<Reply> {
    const { text, toolCalls } = await super.answer(request, signal);
    this.#calls.push(...toolCalls);
    await new Promise((resolve) => setImmediate(resolve));
    const all = this.#calls;
    this.#calls = [];
    return { text: text === "" && all.length === 0 ? "Done." : text, toolCalls: all };
  }
}

class OneConversation extends Adapter {
  readonly #all: Message[] = [];

  override answer({ messages, ...rest }: ModelRequest, signal: AbortSignal): Promise<Reply> {
    this.#all.push(...messages.slice(-1));
    return super.answer({ ...rest, messages: this.#all.slice(-20) }, signal);
  }
}

class ChangesRequests extends Adapter {
  override answer(request: ModelRequest, signal: AbortSignal): Promise<Reply> {
    (request.messages as Message[]).splice(0, 1);
    return super.answer(request, signal);
  }
}

class LatestRequest extends Adapter {
  #request: ModelRequest | undefined;

  override async answer(request: ModelRequest, signal: AbortSignal): Promise<Reply> {
    this.#request = request;
    await new Promise((resolve) => setImmediate(resolve));
    return super.answer(this.#request, signal);
  }
}

class LosesHistory extends Adapter {
  override answer({ messages, ...rest }: ModelRequest, signal: AbortSignal): Promise<Reply> {
    return super.answer({ ...rest, messages: messages.slice(-3) }, signal);
  }
}

export type Broken = readonly [
  name: string,
  kinds: readonly FindingKind[],
  make: (ask: Answerer) => Model,
];

/** Found by what they send, or by what they return. */
export const BROKEN_ADAPTERS: readonly Broken[] = [
  ["replies cached by words", ["mispaired", "foreign"], (ask) => new RepliesByWords(ask)],
  ["earlier prompts in the system message", ["foreign"], (ask) => new EarlierPrompts(ask)],
  ["one text buffer for all streams", ["foreign"], (ask) => new OneTextBuffer(ask)],
  ["one conversation for all", ["foreign"], (ask) => new OneConversation(ask)],
  ["requests that are changed", ["altered"], (ask) => new ChangesRequests(ask)],
  ["the latest request in a field", ["foreign"], (ask) => new LatestRequest(ask)],
];

/** Found only by what they send. */
export const SILENTLY_BROKEN_ADAPTERS: readonly Broken[] = [
  ["one list of tool calls for all", ["foreign"], (ask) => new OneListOfCalls(ask)],
  ["a history that is cut", ["lost"], (ask) => new LosesHistory(ask)],
];
