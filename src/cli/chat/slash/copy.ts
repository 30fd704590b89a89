import { AgnoChatError } from "../../../errors.js";
import type { StoredMessage } from "../../../messages.js";
import type { Copied } from "../../terminal/clipboard.js";
import { count } from "../../words.js";
import type { Repl } from "../repl.js";
import type { Who } from "../screen.js";
import type { CommandCall } from "./slash-command.js";

export async function copy(repl: Repl, { argument, who, signal }: CommandCall): Promise<void> {
  if (argument !== "" && argument !== "code")
    throw new AgnoChatError("USAGE", `/copy cannot copy ${JSON.stringify(argument)}.`, {
      hint: "/copy or /copy code",
    });
  const reply = await lastReply(repl, who);
  const text = argument === "code" ? lastCodeBlock(reply?.content ?? "") : reply?.content;
  if (text === undefined)
    throw new AgnoChatError(
      "USAGE",
      `There is no ${argument === "code" ? "code block" : "reply"} to copy.`,
    );
  const copied = await repl.screen.copy(text, signal);
  repl.screen.note(COPIED[copied](count(text.length, "character")));
}

/** Said only as far as it is known. */
const COPIED: Readonly<Record<Copied, (what: string) => string>> = {
  clipboard: (what) => `Copied ${what}.`,
  tmux: (what) => `Copied ${what} into the buffer of tmux: its prefix and ] paste.`,
  terminal: (what) =>
    `Sent ${what} to the terminal, which may not let programs copy. Else: /export FILE`,
};

/** What was written is at the prompt then, to be read once more and sent. */
export async function edit(repl: Repl, { who }: CommandCall): Promise<void> {
  await repl.screen.edit(who.userId);
}

const LOOK_BACK = 50;

/** The latest one that says something. */
async function lastReply(repl: Repl, who: Who): Promise<StoredMessage | undefined> {
  const { sessionId } = who;
  const messages = await repl.viewOf(who).history({ sessionId, limit: LOOK_BACK });
  return messages.findLast(({ role, content }) => role === "assistant" && content !== "");
}

const lastCodeBlock = (text: string): string | undefined =>
  [...text.matchAll(/^(`{3,}|~{3,})[^\n]*\n([\s\S]*?)^\1/gm)].at(-1)?.[2];
