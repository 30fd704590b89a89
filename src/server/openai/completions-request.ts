import { isObject } from "../../json.js";
import {
  type Fields,
  given,
  isFormat,
  NO_TOOLS,
  optionalFlag,
  type Refusal,
  refuseAny,
} from "./fields.js";
import { RequestFault } from "./request-fault.js";
import { type PicturedTurns, turnsOf } from "./turns.js";

/** The body of `POST /v1/chat/completions`, checked. */
export interface CompletionsRequest extends PicturedTurns {
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

const REFUSALS: readonly Refusal[] = [
  NO_TOOLS,
  {
    param: "n",
    message: "This agent gives one answer.",
    hint: "Leave out n.",
    asksIn: (body) => (given(body, "n") ?? 1) !== 1,
  },
  {
    param: "response_format",
    message: "This agent answers in text alone.",
    hint: "Leave out response_format.",
    asksIn: ({ response_format: format }) => isFormat(format),
  },
  {
    param: "logprobs",
    message: "This agent tells no probabilities.",
    hint: "Leave out logprobs.",
    asksIn: ({ logprobs }) => logprobs === true,
  },
];

/** @throws {RequestFault} */
export function completionsRequestOf(body: Fields): CompletionsRequest {
  refuseAny(body, REFUSALS);
  const { messages } = body;
  if (!Array.isArray(messages))
    throw new RequestFault("messages must be a list.", { param: "messages" });
  const options = given(body, "stream_options");
  return {
    ...turnsOf(messages, { param: "messages", takesPictures: true }),
    stream: optionalFlag(body, "stream") ?? false,
    includeUsage: isObject(options) && (optionalFlag(options, "include_usage") ?? false),
  };
}
