import type { Contents } from "../messages.js";
import { assistantMessage, callsOf, type Message, type ToolMessage } from "../messages.js";
import type { ModelRequest } from "../models/model.js";
import {
  joinedUser,
  toOpenAIMessages,
  type WireMessage,
} from "../models/openai/to-openai-messages.js";
import { WireNames } from "../models/openai/wire-names.js";

/**
 * Turns the messages of one session into those of chat.completions, run by run, so that they can be
 * sent on: no call without its result, no result without its call, no two user messages in a row.
 * Holds one run.
 */
export class OpenAIMessages {
  #run: Message[] = [];
  /** Those of the run. */
  #pictures: Contents = new Map();
  /** The next user message may have to be joined to it. */
  #held: WireMessage | undefined;

  /** Returns the messages that are complete now. */
  add({ messages, pictures = new Map() }: ModelRequest): WireMessage[] {
    return messages.flatMap((message) => {
      const done = message.role === "user" ? this.#endRun() : [];
      this.#run.push(message);
      this.#pictures = new Map([...this.#pictures, ...pictures]);
      return done;
    });
  }

  /** Returns what is left. */
  end(): WireMessage[] {
    const done = this.#endRun();
    return this.#held === undefined ? done : [...done, this.#held];
  }

  #endRun(): WireMessage[] {
    const run = withWholeCalls(this.#run);
    const pictures = this.#pictures;
    this.#run = [];
    this.#pictures = new Map();
    const done: WireMessage[] = [];
    const names = new WireNames({ messages: run });
    for (const message of toOpenAIMessages({ messages: run, pictures }, names)) {
      const held = this.#held;
      if (held?.role === "user" && message.role === "user")
        this.#held = joinedUser(held.content, message.content);
      else {
        if (held !== undefined) done.push(held);
        this.#held = message;
      }
    }
    return done;
  }
}

/** The run without calls that no result follows, and without results of no call before them. */
function withWholeCalls(run: readonly Message[]): Message[] {
  return run.flatMap((message, index): Message[] => {
    if (message.role === "tool") return [];
    if (message.role !== "assistant") return [message];
    const end = run.findIndex(({ role }, later) => later > index && role !== "tool");
    const unused = run.slice(index + 1, end < 0 ? undefined : end).filter(isResult);
    const answered = callsOf(message).flatMap((call) => {
      const at = unused.findIndex(({ toolCallId }) => toolCallId === call.id);
      return at < 0 ? [] : unused.splice(at, 1).map((result) => ({ call, result }));
    });
    const toolCalls = answered.map(({ call }) => call);
    return [assistantMessage(message.content, toolCalls), ...answered.map(({ result }) => result)];
  });
}

const isResult = (message: Message): message is ToolMessage => message.role === "tool";
