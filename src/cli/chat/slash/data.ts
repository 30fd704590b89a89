import { extname } from "node:path";
import { isExportFormat } from "../../../data/user-export.js";
import { AgnoChatError } from "../../../errors.js";
import { sizeOf } from "../../../memory/history-size.js";
import type { AssistantMessage, StoredMessage } from "../../../messages.js";
import { safeJson } from "../../../safe-json.js";
import { refuseNothingToExport } from "../../export-file.js";
import { contextText } from "../../render/context-text.js";
import { count, sizeText } from "../../words.js";
import { writePrivateFile } from "../../write-file.js";
import type { Repl } from "../repl.js";
import { recalled } from "../screen.js";
import type { CommandCall } from "./slash-command.js";

const SHOWN_MESSAGES = 20;

export async function history(repl: Repl, { argument, who }: CommandCall): Promise<void> {
  const limit = argument === "" ? SHOWN_MESSAGES : Number(argument);
  if (!Number.isInteger(limit) || limit < 1)
    throw new AgnoChatError(
      "USAGE",
      `/history takes a number of messages, not ${JSON.stringify(argument)}.`,
    );
  const messages = await repl.viewOf(who).history({ sessionId: who.sessionId, limit });
  if (messages.length === 0)
    repl.screen.note(`Nothing yet in session ${who.sessionId} of ${who.userId}.`);
  for (const message of messages) {
    const { role } = message;
    if (role === "assistant") repl.screen.recall(role, said(message));
    else repl.screen.print(recalled(role === "user" ? who.userId : role, said(message)));
  }
}

function said(message: StoredMessage): string {
  const mark = message.role === "assistant" ? markOf(message) : "";
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  const called = calls.map((call) => `→ ${call.name}(${call.arguments})`);
  return [message.content + mark, ...called].filter((part) => part !== "").join(" ");
}

function markOf({ interrupted, finishReason }: AssistantMessage): string {
  if (interrupted) return " [interrupted]";
  return finishReason === "length" ? " [cut at the token limit]" : "";
}

export async function size(repl: Repl, { who }: CommandCall): Promise<void> {
  const total = sizeOf(await repl.viewOf(who).sessions(), who.sessionId);
  const session = who.sessionId === "default" ? "" : ` in ${who.sessionId}`;
  repl.screen.print(`${who.userId}${session}: ${sizeText(total)}\n`);
}

export async function state(repl: Repl, { who }: CommandCall): Promise<void> {
  const values = Object.entries(await repl.viewOf(who).state({ sessionId: who.sessionId }));
  if (values.length === 0) repl.screen.note(`No session state of ${who.userId}.`);
  else
    repl.screen.print(
      values.map(([key, value]) => `${safeJson(key)}: ${safeJson(value)}\n`).join(""),
    );
}

export async function context(repl: Repl, { who }: CommandCall): Promise<void> {
  repl.screen.print(contextText(await repl.viewOf(who).context({ sessionId: who.sessionId })));
}

/** To a file of the kind its name says, or as Markdown to the screen. */
export async function exportSession(
  repl: Repl,
  { argument: file, who, signal }: CommandCall,
): Promise<void> {
  const format = file === "" ? "md" : extname(file).slice(1);
  if (!isExportFormat(format))
    throw new AgnoChatError("USAGE", `Cannot tell the format of ${JSON.stringify(file)}.`, {
      hint: "End the name in .md, .json or .jsonl.",
    });
  const { sessionId } = who;
  const text = repl.viewOf(who).export({ sessionId, format, signal });
  if (file === "") {
    for await (const piece of text) repl.screen.print(piece);
    return;
  }
  refuseNothingToExport(await repl.viewOf(who).sessions(), who);
  await writePrivateFile(file, text);
  repl.screen.note(`Wrote ${count(text.messages, "message")} of ${who.userId} to ${file}.`);
}

/** All of the user, typed input included, or the current session alone. */
export async function clear(repl: Repl, { argument, who }: CommandCall): Promise<void> {
  if (argument !== "" && argument !== "session")
    throw new AgnoChatError("USAGE", `/clear cannot clear ${JSON.stringify(argument)}.`, {
      hint: "/clear deletes all of this user, /clear session this session.",
    });
  const sessionId = argument === "session" ? who.sessionId : undefined;
  const { messages } = sizeOf(await repl.viewOf(who).sessions(), sessionId);
  const what = `${count(messages, "message")} of ${who.userId}${sessionId === undefined ? "" : ` in ${sessionId}`}`;
  if (messages > 0 && !(await repl.screen.confirm(`Delete ${what}?`)))
    return repl.screen.note("Nothing deleted.");
  await repl.viewOf(who).clear({ sessionId });
  repl.unanswered.forget({ userId: who.userId, ...(sessionId && { sessionId }) });
  if (sessionId === undefined) repl.screen.forgetInput(who.userId);
  repl.screen.print(`Deleted ${what}.\n`);
}
