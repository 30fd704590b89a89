import { type Attachment, attachmentsOf, type Message, type ToolMessage } from "../../messages.js";
import type { ModelRequest } from "../model.js";

/** Characters read of one message: the patterns are slow on very long ones. */
const MAX_LENGTH = 2_000;

/** A tool called since the question, and its result. */
export interface ToolAnswer {
  readonly name: string;
  readonly text: string;
  readonly isError: boolean;
}

/** One request as the intents see it, with each user message cut to 2,000 characters. */
export interface Conversation {
  /** The newest user message. */
  readonly question: string;
  /** Every user message, the newest last. */
  readonly said: readonly string[];
  /** Those of the newest user message. */
  readonly files: readonly Attachment[];
  readonly instructions: string | undefined;
  /** Names of the tools that may be called. */
  readonly tools: ReadonlySet<string>;
  /** The tool results for the question so far. */
  readonly answers: readonly ToolAnswer[];
}

/** A tool call the demo model makes. */
export interface DemoCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** A text to say, or tools to call. */
export type DemoReply = string | readonly DemoCall[];

/** Answers a conversation it understands; returns undefined to leave it to the next intent. */
export type Intent = (conversation: Conversation) => DemoReply | undefined;

export function conversationOf({ messages, tools = [] }: ModelRequest): Conversation {
  const said = messages.filter(({ role }) => role === "user").map(({ content }) => cut(content));
  const asked = messages.findLastIndex(({ role }) => role === "user");
  return {
    question: said.at(-1) ?? "",
    said,
    files: messages.slice(asked).flatMap(attachmentsOf),
    instructions: messages.find(({ role }) => role === "system")?.content,
    tools: new Set(tools.map(({ name }) => name)),
    answers: answersIn(messages.slice(asked + 1)),
  };
}

const cut = (text: string): string =>
  text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH).toWellFormed()}…`;

function answersIn(messages: readonly Message[]): ToolAnswer[] {
  const names = new Map(
    messages
      .flatMap((message) => (message.role === "assistant" ? (message.toolCalls ?? []) : []))
      .map(({ id, name }) => [id, name]),
  );
  return messages
    .filter((message): message is ToolMessage => message.role === "tool")
    .map(({ content, toolCallId, isError = false }) => ({
      name: names.get(toolCallId) ?? "tool",
      text: content,
      isError,
    }));
}
