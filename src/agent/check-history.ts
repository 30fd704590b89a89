import { AgnoChatError } from "../errors.js";
import type { SessionId } from "../ids.js";
import type { StoredMessage } from "../messages.js";

/**
 * Looks at each message of a history once, because a run does little else with it. Refuses messages
 * that cannot all belong to that session: a memory that mixes up users or sessions gives itself
 * away by a wrong session id, or by message ids that do not rise.
 * @returns whether the history is plain: question, reply, question, reply, …, without tool calls,
 *   attachments or `historySent`, so that it can be sent as it is
 * @throws {AgnoChatError} `STORE_FAILED`, without any text of the messages
 */
export function checkHistory(messages: readonly StoredMessage[], sessionId: SessionId): boolean {
  let isPlain = messages.length % 2 === 0;
  let latest = 0;
  for (let index = 0; index < messages.length; index++) {
    const message = messages[index] as StoredMessage;
    const { id } = message;
    if (message.sessionId !== sessionId || !(id > latest)) throw mixedUp();
    latest = id;
    if (!isPlain) continue;
    isPlain = index % 2 === 0 ? isQuestion(message) : isReply(message);
  }
  return isPlain;
}

const isQuestion = (message: StoredMessage): boolean =>
  message.role === "user" && message.attachments === undefined;

const isReply = (message: StoredMessage): boolean =>
  message.role === "assistant" &&
  message.toolCalls === undefined &&
  message.historySent === undefined &&
  message.content !== "";

const mixedUp = () =>
  new AgnoChatError(
    "STORE_FAILED",
    "The memory returned messages of another session, so the model was not called.",
    { hint: "Test the memory with memoryConformance from agno-chat/testing." },
  );
