import { AgnoChatError } from "../../errors.js";
import { asList, asRecord, asString } from "../../json.js";
import { callsOf, type ToolCall, type Usage } from "../../messages.js";
import { estimateTokens, estimateUsage } from "../estimate-usage.js";
import { limitSize } from "../limits.js";
import type { FinishReason, ModelEvent, ModelRequest } from "../model.js";
import { stripUnopenedThoughts } from "../think-tags.js";
import type { ApiServer } from "./api-server.js";
import { ToolCallCollector } from "./collect-tool-calls.js";
import { createSurrogateJoiner } from "./surrogate-joiner.js";
import { createThinkFilter } from "./think-filter.js";
import { usageIn } from "./usage-in.js";
import type { WireNames } from "./wire-names.js";

/** Builds one answer from the chunks of chat.completions that any server sends. */
export class AnswerBuilder {
  readonly #request: ModelRequest;
  readonly #server: ApiServer;
  readonly #names: WireNames;
  readonly #thinkFilter = createThinkFilter();
  readonly #joiner = createSurrogateJoiner();
  readonly #toolCalls = new ToolCallCollector();
  #isComplete = false;
  /** Everything streamed so far. */
  #text = "";
  #finishReason = "";
  #usage: Usage | undefined;
  #outputTokens = 0;
  #chunks = 0;
  #textSize = 0;
  #reasoningSize = 0;

  constructor(request: ModelRequest, { server, names }: { server: ApiServer; names: WireNames }) {
    this.#request = request;
    this.#server = server;
    this.#names = names;
  }

  /**
   * True once the server has said that the answer is over: a connection that breaks later does no
   * harm. A finish reason is not enough, since some servers send more text after it.
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

  /**
   * Adds one chunk and returns its new text.
   * @throws {AgnoChatError} `MODEL_BAD_RESPONSE` when the answer exceeds a limit
   */
  add(chunk: unknown): string {
    this.#chunks += 1;
    const { choices, usage, x_groq: groq } = asRecord(chunk);
    this.#usage = usageIn(usage) ?? usageIn(asRecord(groq).usage) ?? this.#usage;
    const choice = asRecord(asList(choices)[0]);
    // A server that does not stream sends a whole `message` at once.
    const delta = asRecord(choice.delta ?? choice.message);
    for (const piece of asList(delta.tool_calls)) this.#toolCalls.add(piece);
    this.#finishReason = asString(choice.finish_reason) || this.#finishReason;
    return this.#textOf(delta);
  }

  /**
   * Yields what is left once the body has ended: text held back, the tool calls, and the finish.
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
    const answer = stripUnopenedThoughts(this.#text, calls.length > 0);
    yield { type: "finish", reason, usage, ...(answer !== this.#text && { text: answer }) };
  }

  #textOf(delta: Readonly<Record<string, unknown>>): string {
    // A refusal is the answer; reasoning is not.
    const text = contentOf(delta.content) + asString(delta.refusal);
    const reasoning = asString(delta.reasoning_content) || asString(delta.reasoning);
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
    if (this.#finishReason === "") throw this.#incompleteAnswer();
    const reason = this.#finishReason;
    if (reason === "content_filter") throw this.#filtered();
    if (reason === "error")
      throw this.#badResponse("stopped with an error in the middle of the answer");
    const isCut = reason === "length" || reason === "max_tokens";
    const calls = this.#calls();
    if (calls.length === 0) return { reason: isCut ? "length" : "stop", calls };
    if (isCut) throw this.#badResponse("reached the token limit inside a tool call", MORE_TOKENS);
    return { reason: "tool-calls", calls };
  }

  #calls(): readonly ToolCall[] {
    const calls = this.#toolCalls.calls(idsIn(this.#request));
    const isPromised = this.#finishReason === "tool_calls" && this.#toolCalls.isBegun;
    if ((calls.length === 0 && isPromised) || calls.some(({ name }) => name === ""))
      throw this.#badResponse("sent a tool call without a name");
    return calls.map((call) => ({ ...call, name: this.#names.toOriginal(call.name) }));
  }

  #incompleteAnswer(): AgnoChatError {
    return this.#badResponse(
      this.#chunks === 0 ? "sent an empty answer" : "ended before the answer did",
    );
  }

  #filtered(): AgnoChatError {
    const message = `The content filter of ${this.#server.host} stopped the answer.`;
    return new AgnoChatError("MODEL_FILTERED", message, {
      hint: "Rephrase the message.",
    });
  }

  #badResponse(
    what: string,
    hint = "Try again; if it happens again, look at the server's log.",
  ): AgnoChatError {
    return new AgnoChatError("MODEL_BAD_RESPONSE", `${this.#server.host} ${what}.`, { hint });
  }
}

const MORE_TOKENS = "Allow more tokens for an answer.";

/** Reads a string, or a list of parts, whose parts of type `text` are the answer. */
function contentOf(content: unknown): string {
  if (!Array.isArray(content)) return asString(content);
  return content
    .map((part) => (asRecord(part).type === "text" ? asString(asRecord(part).text) : ""))
    .join("");
}

const idsIn = ({ messages }: ModelRequest): string[] =>
  messages.flatMap(callsOf).map(({ id }) => id);
