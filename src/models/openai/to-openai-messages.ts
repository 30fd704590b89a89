import { isJsonObject } from "../../json.js";
import {
  type AssistantMessage,
  type Attachment,
  attachmentsOf,
  type Contents,
  type Message,
  type ToolCall,
} from "../../messages.js";
import type { ModelRequest } from "../model.js";
import { WireIds, type WireNames } from "./wire-names.js";

interface WireToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

type WirePart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image_url"; readonly image_url: { readonly url: string } };

/** A message in the form of chat.completions. */
export type WireMessage =
  | { readonly role: "system"; readonly content: string }
  | { readonly role: "user"; readonly content: string | WirePart[] }
  | {
      readonly role: "assistant";
      readonly content: string | null;
      readonly tool_calls?: WireToolCall[];
    }
  | { readonly role: "tool"; readonly tool_call_id: string; readonly content: string };

/**
 * Converts messages to a form that even the strictest servers accept: known keys only, no lone
 * surrogates, tool names and call ids any server takes, no empty assistant messages, and the two
 * user messages around one joined. Only a message with pictures has parts: some servers take none.
 */
export function toOpenAIMessages(
  { messages, pictures = new Map() }: ModelRequest,
  names: WireNames,
): WireMessage[] {
  const known = { names, ids: new WireIds(), pictures };
  const wire: WireMessage[] = [];
  for (const message of messages) {
    if (isEmpty(message)) continue;
    const last = wire.at(-1);
    if (message.role === "user" && last?.role === "user")
      wire[wire.length - 1] = joinedUser(last.content, toOpenAIMessage(message, known).content);
    else wire.push(toOpenAIMessage(message, known));
  }
  return wire;
}

const isEmpty = (message: Message): boolean =>
  message.role === "assistant" && message.content === "" && !message.toolCalls?.length;

type WireContent = WireMessage["content"];

/** One user message of two. */
export const joinedUser = (earlier: WireContent, later: WireContent): WireMessage => ({
  role: "user",
  content:
    typeof earlier === "string" && typeof later === "string"
      ? `${earlier}\n\n${later}`
      : [...partsOf(earlier), ...partsOf(later)],
});

const partsOf = (content: WireContent): readonly WirePart[] =>
  typeof content === "string" ? [{ type: "text", text: content }] : (content ?? []);

interface WireMapping {
  readonly names: WireNames;
  readonly ids: WireIds;
  readonly pictures: Contents;
}

function toOpenAIMessage(message: Message, known: WireMapping): WireMessage {
  const content = message.content.toWellFormed();
  switch (message.role) {
    case "assistant":
      return toAssistant(message, { content, ...known });
    case "tool":
      return { role: "tool", tool_call_id: known.ids.ofResult(message.toolCallId), content };
    case "user":
      return { role: "user", content: withPictures(content, picturesOf(message, known)) };
    default:
      return { role: message.role, content };
  }
}

function picturesOf(message: Message, { pictures }: WireMapping): WirePart[] {
  return attachmentsOf(message).flatMap((attachment) => {
    const picture = pictures.get(attachment.hash);
    return picture === undefined ? [] : [toWirePicture(attachment, picture)];
  });
}

const withPictures = (text: string, pictures: readonly WirePart[]): string | WirePart[] =>
  pictures.length === 0 ? text : [{ type: "text", text }, ...pictures];

const toWirePicture = ({ type }: Attachment, picture: Uint8Array): WirePart => ({
  type: "image_url",
  image_url: {
    url: `data:${type};base64,${Buffer.from(picture.buffer, picture.byteOffset, picture.length).toString("base64")}`,
  },
});

function toAssistant(
  { toolCalls = [] }: AssistantMessage,
  { content, names, ids }: WireMapping & { content: string },
): WireMessage {
  if (toolCalls.length === 0) return { role: "assistant", content };
  const sentIds = ids.ofCalls(toolCalls);
  const tool_calls = toolCalls.map((call, index) => toWireCall(call, sentIds[index] ?? "", names));
  return { role: "assistant", content: content || null, tool_calls };
}

/** Arguments that are not a JSON object can make a server's template fail with a 500. */
const toWireCall = ({ name, arguments: args }: ToolCall, id: string, names: WireNames) => ({
  id,
  type: "function" as const,
  function: {
    name: names.toSent(name),
    arguments: isJsonObject(args) ? args.toWellFormed() : "{}",
  },
});
