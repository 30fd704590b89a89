import { isObject } from "../../json.js";
import { assistantMessage, type Message, userMessage } from "../../messages.js";
import { RequestFault } from "./request-fault.js";

/** The messages of a request. */
export interface Turns {
  /** What the developer says, all of it together. */
  readonly instructions: string | undefined;
  /** Of the user and the assistant, oldest first. */
  readonly history: readonly Message[];
  /** The last message, which is the user's. */
  readonly input: string;
}

/**
 * Reads the messages of `messages`, or the items of `input`, which are the same for text.
 * @param param The field they came in.
 * @throws {RequestFault} for anything but text, and if the last one is not the user's
 */
export function turnsOf(items: readonly unknown[], param: string): Turns {
  const instructions: string[] = [];
  const history: Message[] = [];
  for (const [index, item] of items.entries()) {
    const { role, text } = itemOf(item, `${param}[${index}]`);
    if (role === "user") history.push(userMessage(text));
    else if (role === "assistant") history.push(assistantMessage(text));
    else instructions.push(text);
  }
  const last = history.pop();
  if (last?.role !== "user")
    throw new RequestFault(`The last message of ${param} must be the user's.`, { param });
  return { instructions: joined(instructions), history, input: last.content };
}

/** Texts of instructions as one; undefined without any. */
export const joined = (texts: readonly (string | undefined)[]): string | undefined =>
  texts.filter(Boolean).join("\n\n") || undefined;

const ROLES = ["user", "assistant", "system", "developer"];

function itemOf(item: unknown, param: string) {
  if (!isObject(item)) throw new RequestFault(`${param} must be an object.`, { param });
  const { type = "message", role, content, tool_calls: calls } = item;
  const isMessage = type === "message" && typeof role === "string" && ROLES.includes(role);
  const isCall = Array.isArray(calls) && calls.length > 0;
  if (!isMessage || isCall)
    throw new RequestFault(`${param} is no message of the user, the assistant or the developer.`, {
      param,
      hint: "Leave out calls of tools and what they returned.",
    });
  return { role, text: textOf(content, `${param}.content`) };
}

/** The types of a part that is text, in both APIs. */
const TEXT_TYPES: readonly unknown[] = ["text", "input_text", "output_text"];

function textOf(content: unknown, param: string): string {
  if (typeof content === "string") return content;
  if (content === null || content === undefined) return "";
  if (!Array.isArray(content)) throw onlyText(param);
  const texts = content.map((part: unknown, index) => {
    const isText = isObject(part) && TEXT_TYPES.includes(part.type);
    if (!isText || typeof part.text !== "string") throw onlyText(`${param}[${index}]`);
    return part.text;
  });
  return texts.join("\n");
}

const onlyText = (param: string) =>
  new RequestFault(`${param} is not text, and this agent reads nothing else.`, { param });
