import { asList, asRecord, asString } from "../../json.js";
import { charactersOf } from "../../memory/measure.js";
import type { NewMessage, StoredMessage, ToolCall } from "../../messages.js";
import type { Batch, ImportReader, ImportTally } from "./conversation.js";
import { MOST_CHARACTERS } from "./json-pieces.js";
import { digestOf, runsOf } from "./turns.js";

type Fields = Readonly<Record<string, unknown>>;

/**
 * Messages as OpenAI's chat completions take them: a list, one a line, or the `messages` of a
 * document. Every document is a conversation, and so are all messages without one.
 */
export const readOpenAi: ImportReader = async function* (records, { tally, sessionId }) {
  let conversation = new Conversation(tally);
  for await (const { kind, value } of records) {
    if (kind !== "document") conversation.add(value);
    else {
      yield* conversation.batch(undefined);
      conversation = new Conversation(tally);
    }
  }
  yield* conversation.batch(sessionId);
};

class Conversation {
  readonly #tally: ImportTally;
  #messages: NewMessage[] = [];
  #characters = 0;

  constructor(tally: ImportTally) {
    this.#tally = tally;
  }

  add(value: unknown): void {
    const message = messageOf(asRecord(value), this.#tally);
    if (message === undefined) return this.#tally.leaveOut("message that is not valid");
    this.#characters += charactersOf(message as StoredMessage);
    if (this.#characters > MOST_CHARACTERS) this.#messages = [];
    else this.#messages.push(message);
  }

  *batch(sessionId: string | undefined): Generator<Batch> {
    const [first] = this.#messages;
    if (this.#characters > MOST_CHARACTERS) this.#tally.leaveOut("conversation too large");
    if (first === undefined) return;
    const said = this.#messages.find(({ role }) => role === "user") ?? first;
    const mark = digestOf(["openai", said.content]).slice(0, 8);
    yield { name: sessionId ?? `conversation-${mark}`, runs: runsOf(this.#messages, mark) };
  }
}

function messageOf(message: Fields, tally: ImportTally): NewMessage | undefined {
  const content = textOf(message.content, tally);
  switch (message.role) {
    case "system":
    case "developer":
      return { role: "system", content };
    case "user":
      return { role: "user", content };
    case "assistant": {
      const toolCalls = asList(message.tool_calls).map(toolCallOf);
      return { role: "assistant", content, ...(toolCalls.length > 0 && { toolCalls }) };
    }
    case "tool":
      return { role: "tool", content, toolCallId: asString(message.tool_call_id) };
    default:
      return undefined;
  }
}

function toolCallOf(call: unknown): ToolCall {
  const { id, function: called } = asRecord(call);
  const { name, arguments: text } = asRecord(called);
  return { id: asString(id), name: asString(name), arguments: asString(text) };
}

/** A text, or the texts among the parts. */
function textOf(content: unknown, tally: ImportTally): string {
  if (typeof content === "string") return content;
  const parts = asList(content).map(asRecord);
  tally.leaveOut(
    "part of a kind that is not known",
    parts.filter(({ text }) => typeof text !== "string").length,
  );
  return parts.map(({ text }) => asString(text)).join("");
}
