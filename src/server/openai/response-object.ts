import type { RunOutput } from "../../agent/events.js";
import type { Usage } from "../../messages.js";
import { conversationIdOf, type KeptRun, responseIdOf } from "./response-id.js";

/** What all objects of one response have in common. */
export interface ResponseFrame {
  readonly run: KeptRun;
  readonly model: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
  readonly previous: string | undefined;
  readonly store: boolean;
}

export type ResponseStatus = "in_progress" | "completed" | "incomplete" | "failed";

export interface ResponseState {
  readonly status: ResponseStatus;
  readonly output: readonly OutputMessage[];
  readonly usage?: Usage | undefined;
  readonly error?: string;
}

/** A Response as OpenAI has them; a test compares it with their types. */
export function responseObject(frame: ResponseFrame, state: ResponseState) {
  const { run, model, createdAt, previous, store } = frame;
  const { status, output, usage, error } = state;
  return {
    id: responseIdOf(run),
    object: "response" as const,
    created_at: createdAt,
    status,
    error: error === undefined ? null : { code: "server_error" as const, message: error },
    incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" as const } : null,
    instructions: null,
    conversation: store ? { id: conversationIdOf(run) } : null,
    previous_response_id: previous ?? null,
    model,
    output: [...output],
    parallel_tool_calls: true,
    tool_choice: "auto" as const,
    tools: [],
    temperature: null,
    top_p: null,
    metadata: {},
    store,
    ...(usage === undefined ? {} : { usage: usageObject(usage) }),
  };
}

export type ResponseObject = ReturnType<typeof responseObject>;

/** The response of a run that has ended. */
export function finishedResponse(frame: ResponseFrame, run: RunOutput): ResponseObject {
  const status = statusOf(run);
  const texts = textsOf(run);
  const output = texts.map((text, index) => {
    const isLast = index === texts.length - 1;
    return outputMessage(itemIdOf(run, index), text, isLast ? status : "completed");
  });
  return responseObject(frame, { status, output, usage: run.usage });
}

export const statusOf = ({ finishReason }: RunOutput) =>
  finishReason === "length" ? "incomplete" : "completed";

/** What the assistant said in a run: also what it said before it called tools. */
export const textsOf = ({ messages }: RunOutput): string[] =>
  messages.flatMap(({ role, content }) => (role === "assistant" && content !== "" ? content : []));

export const itemIdOf = ({ runId }: Pick<KeptRun, "runId">, index: number): string =>
  `msg_${runId.replaceAll("-", "")}${index}`;

export const outputText = (text: string) => ({
  type: "output_text" as const,
  text,
  annotations: [],
  logprobs: [],
});

export const outputMessage = (
  id: string,
  text: string | undefined,
  status: "in_progress" | "completed" | "incomplete",
) => ({
  id,
  type: "message" as const,
  status,
  role: "assistant" as const,
  content: text === undefined ? [] : [outputText(text)],
});

export type OutputMessage = ReturnType<typeof outputMessage>;

const usageObject = ({ inputTokens, outputTokens }: Usage) => ({
  input_tokens: inputTokens,
  input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
  output_tokens: outputTokens,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: inputTokens + outputTokens,
});
