import { asList, asRecord, asString } from "../../json.js";
import type { NewMessage } from "../../messages.js";
import type { ImportReader, ImportTally, LeftOut } from "./conversation.js";
import { type Fields, readConversations } from "./read-conversations.js";
import { timeOf, turnsToBatch } from "./turns.js";

/** `conversations.json` of Claude's export: a list of messages for each conversation. */
export const readClaude: ImportReader = (records, { tally }) =>
  readConversations(records, {
    key: "chat_messages",
    tally,
    batchOf(conversation) {
      const { uuid, name, created_at: createdAt } = conversation;
      const time = timeOf(createdAt);
      const shown = shownMessages(conversation, tally);
      const turns = shown.flatMap((message) => turnOf(message, time, tally));
      return turnsToBatch(turns, { source: "claude", id: asString(uuid), title: asString(name) });
    },
  });

/** All messages; if they name their parents and the last one that is shown, those up to it. */
function shownMessages(conversation: Fields, tally: ImportTally): Fields[] {
  const messages = asList(conversation.chat_messages).map(asRecord);
  const byId = new Map(messages.map((message) => [asString(message.uuid), message]));
  const path = new Set<Fields>();
  for (
    let message = byId.get(asString(conversation.current_leaf_message_uuid));
    message !== undefined && !path.has(message);
    message = byId.get(asString(message.parent_message_uuid))
  )
    path.add(message);
  if (path.size === 0) return messages;
  tally.leaveOut("message on a branch that is not shown", messages.length - path.size);
  return [...path].reverse();
}

/** One message as a turn of the conversation; none if nothing is left of it. */
function turnOf(message: Fields, time: string | undefined, tally: ImportTally): NewMessage[] {
  const sender = asString(message.sender);
  const role = sender === "human" ? "user" : "assistant";
  if (role === "assistant" && sender !== "assistant") {
    tally.leaveOut("message that is not valid");
    return [];
  }
  const content = [textOf(message, tally), ...filesIn(message, tally)]
    .filter((part) => part !== "")
    .join("\n\n");
  if (content === "") return [];
  const createdAt = timeOf(message.created_at) ?? time;
  return [{ role, content, ...(createdAt === undefined ? {} : { createdAt }) }];
}

/** The texts among the parts of the content; older exports have `text` alone. */
function textOf({ content, text }: Fields, tally: ImportTally): string {
  const parts = asList(content).map(asRecord);
  if (parts.length === 0) return asString(text);
  for (const { type } of parts)
    if (type !== "text")
      tally.leaveOut(PARTS.get(asString(type)) ?? "part of a kind that is not known");
  return parts
    .filter(({ type }) => type === "text")
    .map((part) => asString(part.text))
    .filter((each) => each !== "")
    .join("\n\n");
}

const PARTS: ReadonlyMap<string, LeftOut> = new Map([
  ["thinking", "thought"],
  ["tool_use", "tool call"],
  ["tool_result", "tool result"],
]);

/** An attachment comes with its text, a file by its name alone. */
function filesIn({ attachments, files }: Fields, tally: ImportTally): string[] {
  const attached = asList(attachments).map((attachment) => {
    const { file_name: name, extracted_content: text } = asRecord(attachment);
    if (typeof text === "string" && text !== "") return `[file: ${asString(name)}]\n${text}`;
    tally.leaveOut("attached file, named in the text");
    return `[file: ${asString(name)}]`;
  });
  const named = asList(files).map((file) => `[file: ${asString(asRecord(file).file_name)}]`);
  tally.leaveOut("attached file, named in the text", named.length);
  return [...attached, ...named];
}
