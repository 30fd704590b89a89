import { AgnoChatError } from "../errors.js";
import type { Model, ModelEvent, ModelRequest } from "../models/model.js";
import type { PlantedRun } from "./ledger.js";
import { Saying } from "./model-events.js";
import type { Answer, ReceivedRequest, Recorder } from "./recorder.js";

export interface LiveModelOptions {
  readonly recorder: Recorder;
  /** Default: no limit. */
  readonly maxCalls?: number | undefined;
  /** Whether a run may call tools in one reply only, which limits the number of calls. */
  readonly toolsOnce: boolean;
  /** Called once, when no more calls may be made or the model failed. */
  readonly onEnd: () => void;
}

/** Why a check ended that may call a model only so often. */
export const tooManyCalls = (calls: number): string =>
  `stopped after ${calls} calls of the model, which is all that are allowed`;

/** Judges what a model is given, and notes what it answers. */
export class LiveModel implements Model {
  readonly name: string;
  readonly #model: Model;
  readonly #options: LiveModelOptions;
  #calls = 0;
  #failure: AgnoChatError | undefined;
  #isOver = false;
  #takesTools = true;
  #toolCalls = 0;

  constructor(model: Model, options: LiveModelOptions) {
    this.name = model.name;
    this.#model = model;
    this.#options = options;
  }

  get calls(): number {
    return this.#calls;
  }

  /** How many tools the model has called. */
  get toolCalls(): number {
    return this.#toolCalls;
  }

  /** The error that the model failed with, if it failed. */
  get failure(): AgnoChatError | undefined {
    return this.#failure;
  }

  /** Whether a call was refused because of the limit. */
  get isOver(): boolean {
    return this.#isOver;
  }

  async *stream(
    request: ModelRequest,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncIterable<ModelEvent> {
    const run = await this.#options.recorder.take(request, signal);
    try {
      yield* this.#answer(request, run, signal);
    } catch (thrown) {
      if (!signal.aborted) this.#end(thrown);
      throw thrown;
    }
  }

  async *#answer(
    request: ModelRequest,
    run: PlantedRun | undefined,
    signal: AbortSignal,
  ): AsyncIterable<ModelEvent> {
    const isFirst = run === undefined || run.requests === 1;
    const offersTools = this.#takesTools && (isFirst || !this.#options.toolsOnce);
    const { tools, ...withoutTools } = request;
    try {
      yield* this.#call(offersTools ? request : withoutTools, run, signal);
    } catch (thrown) {
      if (tools === undefined || !offersTools || !isRejected(thrown)) throw thrown;
      this.#takesTools = false;
      yield* this.#call(withoutTools, run, signal);
    }
  }

  async *#call(
    request: ModelRequest,
    run: PlantedRun | undefined,
    signal: AbortSignal,
  ): AsyncIterable<ModelEvent> {
    this.#count();
    const said = new Saying();
    for await (const event of this.#model.stream(request, { signal })) {
      if (event.type === "retry") this.#count();
      said.take(event);
      if (event.type === "finish") this.#note(run, said);
      yield event;
    }
  }

  #note(run: PlantedRun | undefined, said: Saying): void {
    const { text, toolCalls } = said;
    this.#toolCalls += toolCalls.length;
    if (run === undefined) return;
    if (text.trim() === "" && toolCalls.length === 0 && run.messages.length === 1)
      throw new AgnoChatError("MODEL_BAD_RESPONSE", `The model ${this.name} sent an empty reply.`);
    this.#options.recorder.note(run, said);
  }

  #count(): void {
    const { maxCalls = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#calls >= maxCalls) {
      this.#isOver = true;
      this.#options.onEnd();
      throw new AgnoChatError("CANCELLED", "No more calls are allowed.");
    }
    this.#calls++;
  }

  #end(thrown: unknown): void {
    if (!this.#isOver) this.#failure ??= this.#failureOf(thrown);
    this.#options.onEnd();
  }

  #failureOf(thrown: unknown): AgnoChatError {
    if (thrown instanceof AgnoChatError) return thrown;
    return new AgnoChatError("MODEL_BAD_RESPONSE", `The model ${this.name} failed.`, {
      hint: "Look at the error's cause.",
      hintId: "see-cause",
      cause: thrown,
    });
  }
}

/** As a server does that takes no tools. */
const isRejected = (thrown: unknown): boolean =>
  thrown instanceof AgnoChatError && thrown.code === "MODEL_REJECTED";

/** The whole answer of a model, for a server. */
export async function answerOf(
  model: Model,
  { messages, tools }: ReceivedRequest,
  signal: AbortSignal,
): Promise<Answer> {
  const said = new Saying();
  const request = tools === undefined ? { messages } : { messages, tools };
  for await (const event of model.stream(request, { signal })) said.take(event);
  const { text, toolCalls: calls } = said;
  return calls.length > 0 ? { kind: "tools", text, calls } : { kind: "text", text };
}
