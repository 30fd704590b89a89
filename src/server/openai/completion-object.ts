import type { RunEvent, RunOutput } from "../../agent/events.js";
import type { Usage } from "../../messages.js";
import { textsOf } from "./response-object.js";

/** What all objects of one completion have in common. */
export interface CompletionFrame {
  readonly model: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
}

/** What stands between what the assistant said before and after it called tools. */
const BETWEEN = "\n\n";

/** A ChatCompletion as OpenAI has them; a test compares it with their types. */
export const completionObject = ({ model, createdAt }: CompletionFrame, run: RunOutput) => ({
  id: completionIdOf(run),
  object: "chat.completion" as const,
  created: createdAt,
  model,
  choices: [
    {
      index: 0,
      message: { role: "assistant" as const, content: textsOf(run).join(BETWEEN), refusal: null },
      finish_reason: finishOf(run),
      logprobs: null,
    },
  ],
  ...(run.usage === undefined ? {} : { usage: usageObject(run.usage) }),
});

interface ChunkOptions extends CompletionFrame {
  readonly includeUsage: boolean;
}

/** Turns the events of a run into the chunks of a completion. */
export class CompletionChunks {
  readonly #options: ChunkOptions;
  #runId = "";
  #hasBegun = false;
  /** What separates the next text from the one before. */
  #between = "";
  /** Nothing was said yet, or nothing since the last call of a tool. */
  #isNewText = true;

  constructor(options: ChunkOptions) {
    this.#options = options;
  }

  *of(event: RunEvent): Generator<CompletionChunk> {
    if (event.type === "run-start") this.#runId = event.runId;
    if (event.type === "text-delta") yield* this.#delta(event.text);
    if (event.type === "tool-result") this.#isNewText = true;
    if (event.type === "run-end") yield* this.#end(event.output);
  }

  *#delta(text: string): Generator<CompletionChunk> {
    yield* this.#begin();
    const content = this.#isNewText ? this.#between + text : text;
    this.#isNewText = false;
    this.#between = BETWEEN;
    yield this.#chunk({ content });
  }

  *#begin(): Generator<CompletionChunk> {
    if (!this.#hasBegun) yield this.#chunk({ role: "assistant", content: "" });
    this.#hasBegun = true;
  }

  *#end(output: RunOutput): Generator<CompletionChunk> {
    // A model may have told all of its text with its end.
    if (this.#isNewText && output.content !== "") yield* this.#delta(output.content);
    yield* this.#begin();
    yield this.#chunk({}, finishOf(output));
    if (this.#options.includeUsage && output.usage !== undefined)
      yield { ...this.#frame(), choices: [], usage: usageObject(output.usage) };
  }

  #chunk(delta: Delta, finish: "stop" | "length" | null = null): CompletionChunk {
    const choices = [{ index: 0, delta, finish_reason: finish, logprobs: null }];
    return { ...this.#frame(), choices, ...(this.#options.includeUsage ? { usage: null } : {}) };
  }

  #frame() {
    const { model, createdAt: created } = this.#options;
    const id = completionIdOf({ runId: this.#runId });
    return { id, object: "chat.completion.chunk" as const, created, model };
  }
}

interface Delta {
  role?: "assistant";
  content?: string;
}

/** A ChatCompletionChunk as OpenAI has them; a test compares it with their types. */
export interface CompletionChunk {
  id: string;
  object: "chat.completion.chunk";
  created: number;
  model: string;
  choices: {
    index: number;
    delta: Delta;
    finish_reason: "stop" | "length" | null;
    logprobs: null;
  }[];
  usage?: ReturnType<typeof usageObject> | null;
}

const completionIdOf = ({ runId }: Pick<RunOutput, "runId">): string =>
  `chatcmpl-${runId.replaceAll("-", "")}`;

const finishOf = ({ finishReason }: RunOutput): "stop" | "length" =>
  finishReason === "length" ? "length" : "stop";

const usageObject = ({ inputTokens, outputTokens }: Usage) => ({
  prompt_tokens: inputTokens,
  completion_tokens: outputTokens,
  total_tokens: inputTokens + outputTokens,
});
