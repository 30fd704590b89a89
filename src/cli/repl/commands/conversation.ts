import { AgnoChatError } from "../../../errors.js";
import type { StoredMessage } from "../../../messages.js";
import { count } from "../../words.js";
import type { Copied } from "../clipboard.js";
import type { Repl } from "../repl.js";
import type { Who } from "../screen.js";
import type { CommandCall } from "../slash-commands.js";

export async function retry(repl: Repl, { who, signal }: CommandCall): Promise<void> {
  const question = await lastOf(repl, who, "user");
  if (question === undefined)
    throw new AgnoChatError("USAGE", "There is no question to ask again.");
  await repl.say(question.content, { who, signal });
}

export async function copy(repl: Repl, { argument, who, signal }: CommandCall): Promise<void> {
  if (argument !== "" && argument !== "code")
    throw new AgnoChatError("USAGE", `/copy cannot copy ${JSON.stringify(argument)}.`, {
      hint: "/copy or /copy code",
    });
  const reply = await lastOf(repl, who, "assistant");
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

export async function edit(repl: Repl, { who, signal }: CommandCall): Promise<void> {
  const text = await repl.screen.edit("");
  if (text.trim() === "") repl.screen.note("Nothing sent.");
  else await repl.say(text, { who, signal });
}

const LOOK_BACK = 50;

/** The latest message of this role that says something. */
async function lastOf(
  repl: Repl,
  { userId, sessionId }: Who,
  role: string,
): Promise<StoredMessage | undefined> {
  const messages = await repl.agent.forUser(userId).history({ sessionId, limit: LOOK_BACK });
  return messages.findLast((message) => message.role === role && message.content !== "");
}

const lastCodeBlock = (text: string): string | undefined =>
  [...text.matchAll(/^(`{3,}|~{3,})[^\n]*\n([\s\S]*?)^\1/gm)].at(-1)?.[2];
