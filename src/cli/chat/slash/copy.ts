import { AgnoChatError } from "../../../errors.js";
import type { StoredMessage } from "../../../messages.js";
import type { Copied } from "../../terminal/clipboard.js";
import { count } from "../../words.js";
import type { Repl } from "../repl.js";
import type { Speaker } from "../screen.js";
import type { CommandCall } from "./slash-command.js";

export async function copy(repl: Repl, { argument, speaker, signal }: CommandCall): Promise<void> {
  if (argument !== "" && argument !== "code")
    throw new AgnoChatError("USAGE", `/copy cannot copy ${JSON.stringify(argument)}.`, {
      hint: "/copy or /copy code",
    });
  const reply = await lastReply(repl, speaker);
  const text = argument === "code" ? await codeIn(reply?.content ?? "") : reply?.content;
  if (text === undefined)
    throw new AgnoChatError(
      "USAGE",
      `There is no ${argument === "code" ? "code block" : "reply"} to copy.`,
    );
  const copied = await repl.screen.copy(text, signal);
  repl.screen.note(COPIED[copied](count(text.length, "character")));
}

/** Each says only what is certain. */
const COPIED: Readonly<Record<Copied, (what: string) => string>> = {
  clipboard: (what) => `Copied ${what}.`,
  tmux: (what) => `Copied ${what} into the buffer of tmux: its prefix and ] paste.`,
  terminal: (what) =>
    `Sent ${what} to the terminal, which may not let programs copy. Else: /export FILE`,
};

/** Reads Markdown, which no other command needs. */
const codeIn = async (text: string): Promise<string | undefined> =>
  (await import("../../code-block.js")).lastCodeBlock(text);

const LOOK_BACK = 50;

/** The latest reply that is not empty. */
async function lastReply(repl: Repl, speaker: Speaker): Promise<StoredMessage | undefined> {
  const { sessionId } = speaker;
  const messages = await repl.viewOf(speaker).history({ sessionId, limit: LOOK_BACK });
  return messages.findLast(({ role, content }) => role === "assistant" && content !== "");
}
