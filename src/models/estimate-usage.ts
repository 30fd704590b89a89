import { isPicture } from "../attachments.js";
import {
  type Attachment,
  attachmentsOf,
  callsOf,
  type Message,
  type ToolCall,
  type Usage,
} from "../messages.js";
import type { ModelRequest } from "./model.js";

/**
 * Tokens by the UTF-8 length of a code point; at most 13 % below o200k, measured on five scripts.
 */
const TOKENS_BY_LENGTH = { one: 1 / 3.6, two: 0.45, three: 0.85, four: 1.6 };

/** What a picture costs, about: OpenAI's models count 85 to 1,100 tokens, others up to 1,600. */
export const PICTURE_TOKENS = 1_000;

/** Estimates the tokens of a text. Not rounded, so that parts of a text can be summed. */
export function estimateTokens(text: string): number {
  let tokens = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    if (point < 0x80) tokens += TOKENS_BY_LENGTH.one;
    else if (point < 0x800) tokens += TOKENS_BY_LENGTH.two;
    else if (point < 0x10000) tokens += TOKENS_BY_LENGTH.three;
    else tokens += TOKENS_BY_LENGTH.four;
  }
  return tokens;
}

/** Estimates the usage of a call whose server does not report it. */
export function estimateUsage(request: ModelRequest, outputTokens: number): Usage {
  const texts = [...request.messages.flatMap(textsOf), JSON.stringify(request.tools ?? "")];
  const inputTokens = texts.reduce(
    (sum, text) => sum + estimateTokens(text),
    PICTURE_TOKENS * picturesIn(request),
  );
  return {
    inputTokens: Math.ceil(inputTokens),
    outputTokens: Math.ceil(outputTokens),
    estimated: true,
  };
}

/** Estimates the usage of a reply, or of as much of it as arrived. */
export function estimateReply(
  request: ModelRequest,
  { text, toolCalls }: { readonly text: string; readonly toolCalls: readonly ToolCall[] },
): Usage {
  const texts = [text, ...toolCalls.flatMap(textsOfCall)];
  return estimateUsage(
    request,
    texts.reduce((sum, each) => sum + estimateTokens(each), 0),
  );
}

/** Estimates what a stored message adds to a prompt, with its files and the marks around it. */
export const estimateMessage = (message: Message): number =>
  textsOf(message).reduce(
    (sum, text) => sum + estimateTokens(text),
    attachmentsOf(message).reduce((sum, file) => sum + tokensOfFile(file), TOKENS_AROUND_MESSAGE),
  );

/** Its role and what separates it from others, in the chat templates of OpenAI and most others. */
const TOKENS_AROUND_MESSAGE = 4;

/** Of a file that is to be sent with a message. Text is taken for English. */
const tokensOfFile = ({ type, bytes }: Attachment): number =>
  isPicture(type) ? PICTURE_TOKENS : bytes * TOKENS_BY_LENGTH.one;

const picturesIn = ({ messages, pictures }: ModelRequest): number =>
  pictures === undefined
    ? 0
    : messages.flatMap(attachmentsOf).filter(({ hash }) => pictures.has(hash)).length;

const textsOf = (message: Message): string[] => [
  message.content,
  ...callsOf(message).flatMap(textsOfCall),
];

const textsOfCall = (call: ToolCall): string[] => [call.name, call.arguments];
