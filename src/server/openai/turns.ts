import { attachedFiles, type NewAttachment } from "../../attachments.js";
import { isObject } from "../../json.js";
import { assistantMessage, attachedMessage, type Contents, type Message } from "../../messages.js";
import { pictureOf } from "./picture-part.js";
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

/** The same with pictures. */
export interface PicturedTurns extends Turns {
  /** Of the last message. */
  readonly pictures: readonly NewAttachment[];
  /** Of the pictures of the history, by hash. */
  readonly contents: Contents;
}

interface TurnsOptions {
  /** The field they came in. */
  readonly param: string;
  /** Whether the user's messages may have pictures. */
  readonly takesPictures?: boolean;
}

/**
 * Reads the messages of `messages`, or the items of `input`, which are the same for text.
 * @throws {RequestFault} for anything but text and pictures, and if the last one is not the user's
 * @throws {AgnoChatError} `INVALID_INPUT` for too many pictures, or too large ones
 */
export function turnsOf(
  items: readonly unknown[],
  { param, takesPictures = false }: TurnsOptions,
): PicturedTurns {
  const turns = items.map((item, index) => itemOf(item, `${param}[${index}]`));
  if (!takesPictures)
    for (const { pictures } of turns) for (const picture of pictures) throw onlyText(picture.param);
  const said = turns.filter(({ role }) => role === "user" || role === "assistant");
  const last = said.pop();
  if (last?.role !== "user")
    throw new RequestFault(`The last message of ${param} must be the user's.`, { param });
  const contents = new Map<string, Uint8Array>();
  const history = said.map(({ role, text, pictures }): Message => {
    if (role === "assistant") return assistantMessage(text);
    const files = attachedFiles(pictures.map(({ picture }) => picture));
    for (const [hash, content] of files.contents) contents.set(hash, content);
    return attachedMessage(text, files.attachments);
  });
  const others = turns.filter(({ role }) => role !== "user" && role !== "assistant");
  return {
    instructions: joined(others.map(({ text }) => text)),
    ...{ history, contents, input: last.text },
    pictures: last.pictures.map(({ picture }) => picture),
  };
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
  return { role, ...contentOf(content, { param: `${param}.content`, isUser: role === "user" }) };
}

interface Content {
  readonly text: string;
  readonly pictures: readonly { readonly picture: NewAttachment; readonly param: string }[];
}

/** The types of a part that is text, in both APIs. */
const TEXT_TYPES: readonly unknown[] = ["text", "input_text", "output_text"];

function contentOf(
  content: unknown,
  { param, isUser }: { readonly param: string; readonly isUser: boolean },
): Content {
  if (typeof content === "string") return { text: content, pictures: [] };
  if (content === null || content === undefined) return { text: "", pictures: [] };
  if (!Array.isArray(content)) throw onlyText(param);
  const texts: string[] = [];
  const pictures: Content["pictures"][number][] = [];
  for (const [index, part] of content.entries()) {
    const place = `${param}[${index}]`;
    if (isUser && isObject(part) && part.type === "image_url")
      pictures.push({ picture: pictureOf(part, place), param: place });
    else texts.push(textIn(part, place));
  }
  return { text: texts.join("\n"), pictures };
}

function textIn(part: unknown, param: string): string {
  const isText = isObject(part) && TEXT_TYPES.includes(part.type);
  if (!isText || typeof part.text !== "string") throw onlyText(param);
  return part.text;
}

const onlyText = (param: string) =>
  new RequestFault(`${param} is not text, and this agent reads nothing else.`, { param });
