import { pause, untilAborted } from "../abort.js";
import type { Usage } from "../messages.js";
import type { FinishReason, Model, ModelEvent, ModelRequest } from "../models/model.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";

/** A tool call in a script. */
export interface ScriptedCall {
  /** Default: `call-1`, `call-2`, … counted over the whole script. */
  readonly id?: string;
  readonly name: string;
  /** A string is sent as is, so it may be invalid JSON; anything else as JSON. Default: `{}`. */
  readonly arguments?: unknown;
}

/** The answer to one call. */
export interface ScriptedAnswer {
  /** One text delta, or several. */
  readonly text?: string | readonly string[];
  readonly toolCalls?: readonly ScriptedCall[];
  /** Default: `tool-calls` when there are tool calls, else `stop`. */
  readonly reason?: FinishReason;
  readonly usage?: Usage;
  /** Thrown after the text and the tool calls, like a connection that breaks. */
  readonly error?: Error;
}

/** A text, a whole answer, or an error to throw. */
export type ScriptedReply = string | ScriptedAnswer | Error;

/** Chooses the reply when the call arrives. */
export type ScriptedFunction = (
  request: ModelRequest,
  options: { readonly signal: AbortSignal },
) => ScriptedReply | Promise<ScriptedReply>;

export type ScriptedStep = ScriptedReply | ScriptedFunction;

export interface ScriptedModelOptions {
  /** Default: `scripted`. */
  readonly name?: string;
  /**
   * Returns the milliseconds to wait before each event. Use a seeded random number to shuffle
   * overlapping runs.
   */
  readonly delay?: () => number;
}

const KEYS: KnownKeys<ScriptedModelOptions> = { name: true, delay: true };

/**
 * A model for tests that follows a script: one step per call, or one function for every call. It
 * records every request in `requests`.
 * @example
 * const model = new ScriptedModel(["Hello!", new Error("The connection broke.")]);
 * const agent = new Agent({ model });
 * const { content } = await agent.run("Hi", { userId: "alice" });
 * console.log(content, model.requests.length); // Hello! 1
 */
export class ScriptedModel implements Model {
  readonly name: string;
  /** Deep copies of all requests, in order of the calls. */
  readonly requests: ModelRequest[] = [];
  readonly #script: readonly ScriptedStep[] | ScriptedFunction;
  readonly #delay: (() => number) | undefined;
  #calls = 0;

  /** @throws {AgnoChatError} `USAGE` for an unknown option */
  constructor(
    script: readonly ScriptedStep[] | ScriptedFunction,
    options: ScriptedModelOptions = {},
  ) {
    refuseUnknownKeys(options, KEYS, "ScriptedModel");
    this.#script = script;
    this.name = options.name ?? "scripted";
    this.#delay = options.delay;
  }

  async *stream(
    request: ModelRequest,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<ModelEvent> {
    signal.throwIfAborted();
    this.requests.push(structuredClone(request));
    const step = this.#step(this.requests.length);
    const reply =
      typeof step === "function" ? await untilAborted(step(request, { signal }), signal) : step;
    if (reply instanceof Error) throw reply;
    const answer = typeof reply === "string" ? { text: reply } : reply;
    for (const event of this.#events(answer)) {
      if (this.#delay) await pause(this.#delay(), signal);
      signal.throwIfAborted();
      yield event;
    }
  }

  /** Throws unless there was exactly one call per step. */
  assertDone(): void {
    if (typeof this.#script === "function") return;
    const [calls, steps] = [this.requests.length, this.#script.length];
    if (calls !== steps)
      throw new Error(`${steps} steps were scripted, but there were ${calls} calls.`);
  }

  #step(call: number): ScriptedStep {
    if (typeof this.#script === "function") return this.#script;
    const step = this.#script[call - 1];
    if (step !== undefined) return step;
    const message = JSON.stringify(this.requests[call - 1]?.messages.at(-1)?.content);
    throw new Error(
      `Call ${call} has no step in a script of ${this.#script.length}; its message is ${message}.`,
    );
  }

  *#events(answer: ScriptedAnswer): Generator<ModelEvent> {
    for (const text of [answer.text ?? []].flat()) yield { type: "text-delta", text };
    for (const call of answer.toolCalls ?? []) yield this.#toolCall(call);
    if (answer.error) throw answer.error;
    const reason = answer.reason ?? (answer.toolCalls?.length ? "tool-calls" : "stop");
    yield { type: "finish", reason, ...(answer.usage && { usage: answer.usage }) };
  }

  #toolCall({ id, name, arguments: args = {} }: ScriptedCall): ModelEvent {
    this.#calls += 1;
    return {
      type: "tool-call",
      id: id ?? `call-${this.#calls}`,
      name,
      arguments: typeof args === "string" ? args : JSON.stringify(args),
    };
  }
}
