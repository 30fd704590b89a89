import { asList, asRecord, asString } from "../../json.js";
import type { NewMessage } from "../../messages.js";
import type { ImportReader, ImportTally, LeftOut } from "./conversation.js";
import { type Fields, readConversations } from "./read-conversations.js";
import { timeOf, turnsToBatch } from "./turns.js";

/**
 * `conversations.json` of ChatGPT's export: a tree of messages for each conversation, of which the
 * path to `current_node` is shown.
 */
export const readChatGpt: ImportReader = (records, { tally }) =>
  readConversations(records, {
    key: "mapping",
    tally,
    batchOf(conversation) {
      const id = asString(conversation.conversation_id) || asString(conversation.id);
      const time = timeOf(conversation.create_time);
      const path = shownPath(conversation, tally);
      const turns = path.flatMap((node) => turnOf(asRecord(node.message), time, tally));
      return turnsToBatch(turns, { source: "chatgpt", id, title: asString(conversation.title) });
    },
  });

/** The nodes from the root to the current one, or else to the last of the tree. */
function shownPath({ mapping, current_node: current }: Fields, tally: ImportTally): Fields[] {
  const nodes = new Map(
    Object.entries(asRecord(mapping)).map(([id, node]) => [id, asRecord(node)]),
  );
  const path: Fields[] = [];
  const seen = new Set<string>();
  let id = nodes.has(asString(current)) ? asString(current) : lastLeafOf(nodes);
  // A tree that leads back to itself has no root.
  while (id !== undefined && !seen.has(id)) {
    seen.add(id);
    const node = nodes.get(id);
    if (node === undefined) break;
    path.push(node);
    id = asString(node.parent) || undefined;
  }
  const others = [...nodes].filter(([other, node]) => !seen.has(other) && isSaid(node));
  tally.leaveOut("message on a branch that is not shown", others.length);
  return path.reverse();
}

const lastLeafOf = (nodes: ReadonlyMap<string, Fields>): string | undefined =>
  [...nodes].findLast(([, { children }]) => asList(children).length === 0)?.[0];

const isSaid = ({ message }: Fields): boolean =>
  ["user", "assistant"].includes(asString(asRecord(asRecord(message).author).role));

/** One message as a turn of the conversation; none if it is left out. */
function turnOf(message: Fields, time: string | undefined, tally: ImportTally): NewMessage[] {
  const role = asString(asRecord(message.author).role);
  const metadata = asRecord(message.metadata);
  const reason = reasonToLeaveOut(message, role, metadata);
  if (reason !== undefined) tally.leaveOut(reason);
  if (reason !== undefined || (role !== "user" && role !== "assistant")) return [];
  const content = [textOf(asRecord(message.content), tally), ...filesIn(metadata, tally)]
    .filter((part) => part !== "")
    .join("\n\n");
  if (content === "") return [];
  const createdAt = timeOf(message.create_time) ?? time;
  const model = asString(metadata.model_slug);
  const fields = { content, ...(createdAt === undefined ? {} : { createdAt }) };
  if (role === "user") return [{ role, ...fields }];
  return [{ role, ...fields, ...(model === "" ? {} : { model }) }];
}

/** What is no part of what the user saw. */
function reasonToLeaveOut(message: Fields, role: string, metadata: Fields): LeftOut | undefined {
  const type = asString(asRecord(message.content).content_type);
  if (role === "") return undefined;
  if (message.weight === 0 || metadata.is_visually_hidden_from_conversation === true)
    return "hidden message";
  if (role === "system") return "system message";
  if (role === "tool") return "tool result";
  if (THOUGHTS.has(type)) return "thought";
  if (role === "assistant" && !["", "all"].includes(asString(message.recipient)))
    return "tool call";
  return undefined;
}

const THOUGHTS: ReadonlySet<string> = new Set(["thoughts", "reasoning_recap"]);

/** The text of `text`, `multimodal_text` and `code`. */
function textOf(content: Fields, tally: ImportTally): string {
  if (typeof content.text === "string") return content.text;
  const texts: string[] = [];
  for (const part of asList(content.parts)) {
    const { text, content_type: type, asset_pointer: pointer } = asRecord(part);
    if (typeof part === "string") texts.push(part);
    else if (typeof text === "string") texts.push(text);
    else if (typeof pointer === "string") tally.leaveOut("attached file, named in the text");
    else tally.leaveOut("part of a kind that is not known");
    if (typeof pointer === "string") texts.push(`[${nounOf(asString(type))}: ${pointer}]`);
  }
  return texts.filter((text) => text !== "").join("\n\n");
}

/** `image_asset_pointer` is an image. */
const nounOf = (type: string): string => /^(image|audio|video)/.exec(type)?.[0] ?? "file";

/** Files that were sent along. The images among them are parts of the content, too. */
function filesIn(metadata: Fields, tally: ImportTally): string[] {
  return asList(metadata.attachments).flatMap((attachment) => {
    const { name, mime_type: type } = asRecord(attachment);
    if (typeof name !== "string" || asString(type).startsWith("image/")) return [];
    tally.leaveOut("attached file, named in the text");
    return [`[file: ${name}]`];
  });
}
