import type { JsonSchema, ModelRequest, ToolSpec } from "../model.js";
import type { HttpFailure } from "./http-errors.js";
import { type Reason, reasonIn } from "./reason.js";
import { type ReplyFormat, replyFormatOf } from "./reply-format.js";
import { toOpenAIMessages, type WireMessage } from "./to-openai-messages.js";
import type { WireNames } from "./wire-names.js";

type LimitKey = "max_tokens" | "max_completion_tokens";

/** What a server has been found to support. Holds nothing of any user or request. */
export interface Dialect {
  /** Whether to send `stream_options`, which asks for the usage. */
  readonly asksUsage: boolean;
  readonly limitKey: LimitKey;
  /** Whether the other key has been tried. */
  readonly limitKeySwapped: boolean;
  /** Whether to send `response_format`. `not-now`: the server knows it, and refused one schema. */
  readonly sendsFormat: "yes" | "not-now" | "never";
}

interface WireTool {
  readonly type: "function";
  readonly function: {
    readonly name: string;
    readonly description: string;
    readonly parameters: JsonSchema;
  };
}

/** The body of one streamed request to chat.completions. */
export interface RequestBody {
  readonly model: string;
  readonly messages: WireMessage[];
  readonly stream: true;
  readonly tools?: WireTool[];
  readonly response_format?: ReplyFormat;
  readonly stream_options?: { readonly include_usage: true };
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
}

/**
 * OpenAI's newer models reject `max_tokens`; older servers ignore the newer key, so they would
 * never stop.
 */
export const firstDialect = (isOpenAI: boolean): Dialect => ({
  asksUsage: true,
  limitKey: isOpenAI ? "max_completion_tokens" : "max_tokens",
  limitKeySwapped: false,
  sendsFormat: "yes",
});

/** What one request has shown of the server that holds for all others. */
export const lasting = (dialect: Dialect): Dialect =>
  dialect.sendsFormat === "not-now" ? { ...dialect, sendsFormat: "yes" } : dialect;

interface BodyOptions {
  readonly model: string;
  readonly maxTokens: number | undefined;
  readonly dialect: Dialect;
  readonly names: WireNames;
}

/** Leaves out whatever is not set. */
export function toRequestBody(
  request: ModelRequest,
  { model, maxTokens, dialect, names }: BodyOptions,
): RequestBody {
  const { tools = [], replySchema } = request;
  return {
    model,
    messages: toOpenAIMessages(request, names),
    stream: true,
    ...(tools.length > 0 && { tools: tools.map((tool) => toWireTool(tool, names)) }),
    ...(replySchema !== undefined &&
      dialect.sendsFormat === "yes" && { response_format: replyFormatOf(replySchema) }),
    ...(dialect.asksUsage && { stream_options: { include_usage: true } }),
    ...(maxTokens !== undefined && { [dialect.limitKey]: maxTokens }),
  };
}

const toWireTool = ({ name, description, parameters }: ToolSpec, names: WireNames): WireTool => ({
  type: "function",
  function: { name: names.toSent(name), description, parameters },
});

/** Returns the dialect to try after a server refused `body`, or undefined when none would help. */
export function otherDialect(
  dialect: Dialect,
  { body, failure }: { body: RequestBody; failure: HttpFailure },
): Dialect | undefined {
  if (failure.status !== 400 && failure.status !== 422) return undefined;
  const reason = reasonIn(failure.body);
  if (
    body.stream_options &&
    /stream_options|include_usage/.test(`${reason.param} ${reason.message}`)
  )
    return { ...dialect, asksUsage: false };
  if (body.response_format && REFUSES_FORMAT.test(`${reason.param} ${reason.message}`)) {
    const isInvalid = /invalid schema/i.test(reason.message);
    const isUnknown = !isInvalid && isUnsupported("response_format", reason);
    return { ...dialect, sendsFormat: isUnknown ? "never" : "not-now" };
  }
  const { limitKey } = dialect;
  if (limitKey in body && !dialect.limitKeySwapped && isUnsupported(limitKey, reason))
    return { ...dialect, limitKey: OTHER_LIMIT_KEY[limitKey], limitKeySwapped: true };
  return undefined;
}

/** Some servers name what they make of it. */
const REFUSES_FORMAT = /response_format|json_schema|schema|grammar|structured output/i;

const OTHER_LIMIT_KEY = {
  max_tokens: "max_completion_tokens",
  max_completion_tokens: "max_tokens",
} as const satisfies Record<LimitKey, LimitKey>;

/**
 * False for other complaints about the key: a limit that is too large is too large under either
 * name.
 */
function isUnsupported(
  key: LimitKey | "response_format",
  { code, param, message }: Reason,
): boolean {
  const named = param === key || new RegExp(`\\b${key}\\b`).test(message);
  const kind = /unsupported|not supported|unrecognized|unknown|unexpected|extra|not permitted/i;
  return named && kind.test(`${code} ${message}`);
}
