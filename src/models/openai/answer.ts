import { AgnoChatError } from "../../errors.js";
import type { ToolCall, Usage } from "../../messages.js";
import { limitSize } from "../limits.js";
import type { FinishReason, ModelEvent, ModelRequest } from "../model.js";
import { ToolCallCollector } from "./collect-tool-calls.js";
import { estimateTokens, estimateUsage, usageIn } from "./estimate-usage.js";
import { createHalfPairJoiner } from "./half-pairs.js";
import { list, record, string } from "./json.js";
import type { Server } from "./server.js";
import { createThinkFilter } from "./think-filter.js";
import { behindUnopenedThoughts } from "./think-tags.js";
import { callsOf, type WireNames } from "./wire-names.js";

/** Builds one answer out of the chunks of chat.completions, whichever server they come from. */
export class Answer {
  readonly #request: ModelRequest;
  readonly #server: Server;
  readonly #names: WireNames;
  readonly #thinkFilter = createThinkFilter();
  readonly #joiner = createHalfPairJoiner();
  readonly #toolCalls = new ToolCallCollector();
  #isComplete = false;
  /** All that was streamed. */
  #text = "";
  #finishReason = "";
  #usage: Usage | undefined;
  #outputTokens = 0;
  #chunks = 0;
  #textSize = 0;
  #reasoningSize = 0;

  constructor(request: ModelRequest, { server, names }: { server: Server; names: WireNames }) {
    this.#request = request;
    this.#server = server;
    this.#names = names;
  }

  /**
   * The server has said that nothing more comes: what happens to the connection from now on cannot spoil it. A finish
   * reason alone does not say so: some servers send it early, and text behind it.
   */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  complete(): void {
    this.#isComplete = true;
  }

  /** Characters of text, reasoning and tool calls so far. */
  get size(): number {
    return this.#textSize + this.#reasoningSize + this.#toolCalls.size;
  }

  /** Takes one chunk and returns the text that it adds. @throws {AgnoChatError} `MODEL_BAD_RESPONSE` when it is too much */
  take(chunk: unknown): string {
    this.#chunks += 1;
    const { choices, usage, x_groq: groq } = record(chunk);
    this.#usage = usageIn(usage) ?? usageIn(record(groq).usage) ?? this.#usage;
    const choice = record(list(choices)[0]);
    // A server that does not stream sends one whole `message`.
    const delta = record(choice.delta ?? choice.message);
    for (const piece of list(delta.tool_calls)) this.#toolCalls.add(piece);
    this.#finishReason = string(choice.finish_reason) || this.#finishReason;
    return this.#textOf(delta);
  }

  /**
   * What is left to tell once the body has ended: text held back, the tool calls, and the finish.
   * @throws {AgnoChatError} `MODEL_BAD_RESPONSE` or `MODEL_FILTERED`
   */
  *end(): Generator<ModelEvent> {
    const text = this.#joiner.write(this.#thinkFilter.end()) + this.#joiner.end();
    this.#text += text;
    if (text !== "") yield { type: "text-delta", text };
    const { reason, calls } = this.#outcome();
    for (const call of calls) {
      this.#outputTokens += estimateTokens(call.name + call.arguments);
      yield { type: "tool-call", ...call };
    }
    const usage = this.#usage ?? estimateUsage(this.#request, this.#outputTokens);
    const answer = behindUnopenedThoughts(this.#text, calls.length > 0);
    yield { type: "finish", reason, usage, ...(answer !== this.#text && { text: answer }) };
  }

  #textOf(delta: Readonly<Record<string, unknown>>): string {
    // A refusal is what the model has to say, so it is the answer; reasoning is not.
    const text = contentOf(delta.content) + string(delta.refusal);
    const reasoning = string(delta.reasoning_content) || string(delta.reasoning);
    this.#outputTokens += estimateTokens(text + reasoning);
    this.#textSize += text.length;
    this.#reasoningSize += reasoning.length;
    limitSize("text", this.#textSize);
    limitSize("reasoning", this.#reasoningSize);
    const shown = this.#joiner.write(this.#thinkFilter.write(text));
    this.#text += shown;
    return shown;
  }

  #outcome(): { reason: FinishReason; calls: readonly ToolCall[] } {
    if (this.#finishReason === "") throw this.#incomplete();
    const reason = this.#finishReason;
    if (reason === "content_filter") throw this.#filtered();
    if (reason === "error") throw this.#bad("gave up in the middle of the answer");
    const isCut = reason === "length" || reason === "max_tokens";
    const calls = this.#calls();
    if (calls.length === 0) return { reason: isCut ? "length" : "stop", calls };
    if (isCut) throw this.#bad("reached the token limit inside a tool call", MORE_TOKENS);
    return { reason: "tool-calls", calls };
  }

  #calls(): readonly ToolCall[] {
    const calls = this.#toolCalls.calls(idsIn(this.#request));
    const isPromised = this.#finishReason === "tool_calls" && this.#toolCalls.isBegun;
    if ((calls.length === 0 && isPromised) || calls.some(({ name }) => name === ""))
      throw this.#bad("asked for a tool without a name");
    return calls.map((call) => ({ ...call, name: this.#names.toMeant(call.name) }));
  }

  #incomplete(): AgnoChatError {
    return this.#bad(this.#chunks === 0 ? "sent an empty answer" : "ended before the answer did");
  }

  #filtered(): AgnoChatError {
    const message = `The content filter of ${this.#server.host} stopped the answer.`;
    return new AgnoChatError("MODEL_FILTERED", message, {
      hint: "Put the question in other words.",
    });
  }

  #bad(what: string, hint = "Try again; if it stays so, look at the server's log."): AgnoChatError {
    return new AgnoChatError("MODEL_BAD_RESPONSE", `${this.#server.host} ${what}.`, { hint });
  }
}

const MORE_TOKENS = "Allow more tokens for an answer.";

/** Text, or a list of parts of which those of type `text` are the answer. */
function contentOf(content: unknown): string {
  if (!Array.isArray(content)) return string(content);
  return content
    .map((part) => (record(part).type === "text" ? string(record(part).text) : ""))
    .join("");
}

const idsIn = ({ messages }: ModelRequest): string[] =>
  messages.flatMap(callsOf).map(({ id }) => id);
