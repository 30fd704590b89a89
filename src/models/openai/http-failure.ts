import {
  AgnoChatError,
  type AgnoChatErrorOptions,
  type ErrorCode,
  type HintId,
} from "../../errors.js";
import type { ApiServer } from "./api-server.js";
import type { CallFailure } from "./call-failure.js";
import type { HttpFailure } from "./http-errors.js";
import { type Reason, reasonIn } from "./reason.js";
import { retryAfterMs } from "./retry-policy.js";

export interface CallContext {
  readonly server: ApiServer;
  readonly model: string;
  /** Whether pictures were sent. */
  readonly hasPictures?: boolean;
}

interface HttpFault {
  readonly code: ErrorCode;
  /** What failed, without the reason. */
  readonly what: string;
  readonly hint: string;
  readonly hintId?: HintId;
}

/** Turns an HTTP status and an error body into an error. */
export function httpFailure(failure: HttpFailure, context: CallContext): CallFailure {
  const { server } = context;
  const reason = reasonIn(failure.body);
  const { code, what, hint, hintId } = faultOf(failure, reason, context);
  const said = isUnreadableCall(failure, reason) ? "" : server.redact(reason.message);
  const options: AgnoChatErrorOptions = { hint, hintId, cause: traceOf(failure, server) };
  return {
    error: new AgnoChatError(code, sentence(said === "" ? what : `${what}: ${said}`), options),
    retry: isTransient(failure.status) && RETRIED.has(code),
    retryAfterMs: retryAfterMs(failure.headers, Date.now()),
  };
}

/** The text of a server may lack a full stop. */
const sentence = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);

const RETRIED: ReadonlySet<ErrorCode> = new Set([
  "MODEL_RATE_LIMITED",
  "MODEL_UNAVAILABLE",
  "MODEL_TIMEOUT",
]);

const isTransient = (status: number): boolean =>
  [408, 409, 429].includes(status) || (status >= 500 && status !== 501);

/** Leaves the body out: it may quote a key. */
function traceOf({ status, headers }: HttpFailure, server: ApiServer): Error {
  const id = headers.get("x-request-id");
  return new Error(`HTTP ${status}${id ? `, request id ${server.redact(id)}` : ""}`);
}

function faultOf(failure: HttpFailure, reason: Reason, context: CallContext): HttpFault {
  const { server, model, hasPictures } = context;
  const { host } = server;
  const status = failure.status;
  const words = `${reason.code} ${reason.type} ${reason.message}`;
  if (status < 400) return redirectedFault(failure, server);
  if (isQuota(status, words))
    return {
      code: "MODEL_QUOTA",
      what: `The account at ${host} has no credit left`,
      hint: "Check the plan and billing at the provider, or use another key.",
    };
  if (status === 429 || RATE_LIMIT.test(words))
    return {
      code: "MODEL_RATE_LIMITED",
      what: `${host} limits the rate of requests (${status})`,
      hint: "Wait a little, then try again.",
    };
  if (CONTEXT.test(words) || status === 413)
    return {
      code: "CONTEXT_TOO_LONG",
      what: `The conversation is too long for ${model}`,
      hint: "Send less of the history (historyTokens), or use a model with a larger context.",
      hintId: "less-history",
    };
  if (FILTERED.test(words))
    return {
      code: "MODEL_FILTERED",
      what: `The content filter of ${host} refused the request`,
      hint: "Rephrase the message.",
    };
  if (status === 401 || status === 403 || BAD_KEY.test(words))
    return unauthorisedFault(status, server);
  if (status === 404 || NO_MODEL.test(words)) return notFoundFault(reason, { server, model });
  if (isUnreadableCall(failure, reason))
    return {
      code: "MODEL_BAD_RESPONSE",
      what: `${model} wrote a tool call that ${host} cannot read (${status})`,
      hint: "Rephrase the message, use no toolkits, or use another model.",
    };
  if (hasPictures && isAboutPictures(status, words))
    return {
      code: "MODEL_REJECTED",
      what: `${host} refused the pictures (${status})`,
      hint: "The model may not look at pictures: use another, or a session without any.",
    };
  if (TIMED_OUT.has(status))
    return {
      code: "MODEL_TIMEOUT",
      what: `${host} took too long (${status})`,
      hint: "Try again, or ask for less at once.",
    };
  if (isTransient(status) && LOADING.test(words))
    return {
      code: "MODEL_UNAVAILABLE",
      what: `${host} is still loading its model (${status})`,
      hint: "Wait a little, then try again.",
    };
  if (isTransient(status))
    return {
      code: "MODEL_UNAVAILABLE",
      what: `${host} failed (${status})`,
      hint: server.isLoopback ? "Look at the server's log." : "Try again in a while.",
    };
  return {
    code: "MODEL_REJECTED",
    what: `${host} refused the request (${status})`,
    hint: /\btools?\b|tool_choice/i.test(words)
      ? "The server or the model may not support tools: use another model, or no toolkits."
      : "Change what the reason names. Without a reason, check the model and the base URL.",
  };
}

/**
 * The wording of OpenAI, Azure, Mistral, Groq, xAI, Anthropic, Gemini, Bedrock, Cohere, vLLM, TGI,
 * llama.cpp and LM Studio.
 */
const CONTEXT =
  /context_length_exceeded|exceed_context_size|maximum (context|prompt) length|context (length|window|size|limit)|prompt (is )?too long|input (is )?too long|too many tokens|input token count|reduce the length of the messages|max_new_tokens` must be/i;

/** The wording of llama-server, Ollama, vLLM and Hugging Face before their first answer. */
const LOADING = /\bloading (the )?model\b|model .{0,120}?is (currently |still )?loading/i;

/** Request Timeout, Gateway Timeout, and Cloudflare's timeout. */
const TIMED_OUT: ReadonlySet<number> = new Set([408, 504, 524]);

/**
 * llama-server quotes what the model wrote, which is no help. A retry would fail the same way.
 */
const isUnreadableCall = ({ status }: HttpFailure, { message }: Reason): boolean =>
  status >= 500 && /failed to parse (input|tool[ _]calls?)\b/i.test(message);

/**
 * The wording of OpenAI, DeepSeek, Groq, Mistral, vLLM, and of servers that take text alone, with a
 * status that blames the request; of llama-server, which blames itself.
 */
const isAboutPictures = (status: number, words: string): boolean =>
  status < 500
    ? /image|picture|vision|multi-?modal|content\b.{0,60}?string/i.test(words)
    : /image input|support image|\bmmproj\b/i.test(words);

const FILTERED = /content_filter|content_policy|content management policy|ResponsibleAIPolicy/i;

const RATE_LIMIT = /rate_limit|tokens per minute|requests per minute/i;

const NO_MODEL =
  /model_not_found|invalid_model\b|not a valid model|model .{0,120}?(not found|does not exist)/i;

const QUOTA =
  /insufficient_quota|current quota|billing_(hard_limit|not_active)|insufficient[ _](balance|credits?|funds)/i;

const BAD_KEY = /invalid_api_key|incorrect api key|api key not valid|invalid api key/i;

/** Quota and rate limit share a status, but waiting only helps against a rate limit. */
const isQuota = (status: number, words: string): boolean =>
  status === 402 || ((status === 429 || status === 403 || status === 400) && QUOTA.test(words));

function unauthorisedFault(status: number, { host, apiKey }: ApiServer): HttpFault {
  const code = "MODEL_AUTH";
  if (apiKey === undefined)
    return {
      code,
      what: `${host} requires an API key (${status})`,
      hint: "Pass a key for that server as apiKey.",
      hintId: "give-key",
    };
  return {
    code,
    what: `${host} refused the API key (${status})`,
    hint: "Check that the key is valid, allowed to use this model, and meant for this server.",
  };
}

function notFoundFault({ message }: Reason, { server, model }: CallContext): HttpFault {
  if (/model/i.test(message))
    return {
      code: "MODEL_NOT_FOUND",
      what: `${server.host} has no model ${model}`,
      hint: "List the models it has with listModels().",
      hintId: "list-models",
    };
  return {
    code: "MODEL_NOT_FOUND",
    what: `${server.host} has no chat API at ${server.baseUrl.pathname} (404)`,
    hint: "Check the base URL: it usually ends in /v1.",
  };
}

const redirectedFault = ({ status, headers }: HttpFailure, server: ApiServer): HttpFault => ({
  code: "MODEL_REJECTED",
  what: `${server.host} redirects requests (${status})`,
  hint: `Use the base URL it names: ${server.redact(headers.get("location") ?? "none")}`,
});
