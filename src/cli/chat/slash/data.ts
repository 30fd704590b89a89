import { AgnoChatError } from "../../../errors.js";
import { DEFAULT_SESSION_ID } from "../../../ids.js";
import { type AssistantMessage, attachmentsOf, type StoredMessage } from "../../../messages.js";
import { safeJson } from "../../../safe-json.js";
import { describedFile } from "../../attached-file.js";
import { formatIn, refuseNothingToExport, unknownFormat } from "../../export-file.js";
import {
  hitTitle,
  indexingText,
  moreHits,
  nothingFound,
  roleOf,
  safeExcerpt,
} from "../../found.js";
import { leftOutOf } from "../../left-out.js";
import { contextText } from "../../render/context-text.js";
import { sizeText } from "../../size-text.js";
import { sumHistory } from "../../sum-history.js";
import { usageGroup, usageText } from "../../usage-text.js";
import { count } from "../../words.js";
import { writePrivateFile } from "../../write-file.js";
import type { Repl } from "../repl.js";
import { recalled } from "../screen.js";
import { countIn } from "./count-argument.js";
import type { CommandCall } from "./slash-command.js";

const SHOWN_MESSAGES = 20;

export async function history(repl: Repl, { argument, speaker }: CommandCall): Promise<void> {
  const limit = countIn(argument, {
    usual: SHOWN_MESSAGES,
    of: "messages",
    command: "/history",
  });
  const messages = await repl.viewOf(speaker).history({ sessionId: speaker.sessionId, limit });
  if (messages.length === 0)
    repl.screen.note(`Nothing yet in session ${speaker.sessionId} of ${speaker.userId}.`);
  for (const message of messages) {
    const { role } = message;
    if (role === "assistant") repl.screen.recall(role, said(message));
    else repl.screen.print(recalled(role === "user" ? speaker.userId : role, said(message)));
  }
}

/** An index of which the first block is less than this takes a while. */
const LONG_WORK = 0.2;

export async function search(
  repl: Repl,
  { argument, speaker, signal }: CommandCall,
): Promise<void> {
  const { userId } = speaker;
  let isTold = false;
  const onIndexing = (share: number) => {
    if (!isTold && share < LONG_WORK) repl.screen.note(`${indexingText(share)}; Ctrl-C stops it.`);
    isTold = true;
  };
  const { hits, found } = await repl.viewOf(speaker).search(argument, { signal, onIndexing });
  for (const hit of hits) {
    repl.screen.print(`${hitTitle(hit)}\n`);
    repl.screen.excerpt(roleOf(hit, userId), safeExcerpt(hit));
  }
  if (found === 0) repl.screen.note(nothingFound(argument, { userId }));
  if (found > hits.length) repl.screen.note(moreHits({ hits, found }, "agno-chat search --limit"));
}

function said(message: StoredMessage): string {
  const mark = message.role === "assistant" ? markOf(message) : "";
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  const called = calls.map((call) => `→ ${call.name}(${call.arguments})`);
  const files = attachmentsOf(message).map((file) => `→ ${describedFile(file)}`);
  return [message.content + mark, ...files, ...called].filter((part) => part !== "").join(" ");
}

function markOf({ interrupted, finishReason }: AssistantMessage): string {
  if (interrupted) return " [interrupted]";
  return finishReason === "length" ? " [cut at the token limit]" : "";
}

export async function size(repl: Repl, { speaker, signal }: CommandCall): Promise<void> {
  const { userId, sessionId } = speaker;
  const view = repl.viewOf(speaker);
  const size = await view.counts({ sessionId });
  const sum = await sumHistory((page) => view.history({ ...page, sessionId }), { signal });
  const { historyLimit, historyTokens } = repl.parts;
  const limits = { historyLimit, historyTokens };
  const leftOut = await leftOutOf(repl.memory, { userId, sessionId, ...limits });
  // Without the name, the size of one session of several would read as that of the user.
  const isOnly =
    sessionId === DEFAULT_SESSION_ID && (await view.sessions({ limit: 2 })).length <= 1;
  const details = { size, sum, limits, leftOut };
  repl.screen.print(`${userId}${isOnly ? "" : ` in ${sessionId}`}: ${sizeText(details)}`);
}

/** Tokens by day, model or session, of all sessions of the user. */
export async function stats(repl: Repl, { argument, speaker, signal }: CommandCall): Promise<void> {
  const by = usageGroup(argument === "" ? undefined : argument);
  const prices = await repl.prices();
  const sum = await sumHistory((page) => repl.viewOf(speaker).history(page), {
    ...{ by, priceOf: prices?.of, signal },
  });
  const { columns, rows } = repl.screen.space;
  const isScreen = rows !== Infinity;
  const most = isScreen ? Math.max(5, rows - 10) : Infinity;
  const shown = usageText(sum, { by, prices, columns: isScreen ? columns : undefined, most });
  repl.screen.print(`${speaker.userId}: ${shown}`);
}

export async function state(repl: Repl, { speaker }: CommandCall): Promise<void> {
  const values = Object.entries(await repl.viewOf(speaker).state({ sessionId: speaker.sessionId }));
  if (values.length === 0) repl.screen.note(`No session state of ${speaker.userId}.`);
  else
    repl.screen.print(
      values.map(([key, value]) => `${safeJson(key)}: ${safeJson(value)}\n`).join(""),
    );
}

export async function context(repl: Repl, { speaker }: CommandCall): Promise<void> {
  const { model, historyLimit, historyTokens } = repl.parts;
  const request = await repl.viewOf(speaker).context({ sessionId: speaker.sessionId });
  repl.screen.print(contextText(request, { model: model.name, historyLimit, historyTokens }));
}

/** Writes a file in the format of its extension, or prints Markdown. */
export async function exportSession(
  repl: Repl,
  { argument: file, speaker, signal }: CommandCall,
): Promise<void> {
  const format = file === "" ? "md" : formatIn(file);
  if (format === undefined) throw unknownFormat(file);
  const { sessionId } = speaker;
  const text = repl.viewOf(speaker).export({ sessionId, format, signal });
  if (file === "") {
    for await (const piece of text) repl.screen.print(piece);
    return;
  }
  await refuseNothingToExport(repl.memory, speaker);
  await writePrivateFile(file, text);
  repl.screen.note(`Wrote ${count(text.messages, "message")} of ${speaker.userId} to ${file}.`);
}

/** Deletes all data of the user, including their input history, or only the current session. */
export async function clear(repl: Repl, { argument, speaker }: CommandCall): Promise<void> {
  if (argument !== "" && argument !== "session")
    throw new AgnoChatError("USAGE", `/clear cannot clear ${JSON.stringify(argument)}.`, {
      hint: "/clear deletes all of this user, /clear session this session.",
    });
  const sessionId = argument === "session" ? speaker.sessionId : undefined;
  const messages = await repl.viewOf(speaker).size({ sessionId });
  const what = `${count(messages, "message")} of ${speaker.userId}${sessionId === undefined ? "" : ` in ${sessionId}`}`;
  if (messages > 0 && !(await repl.screen.confirm(`Delete ${what}?`)))
    return repl.screen.note("Nothing deleted.");
  await repl.viewOf(speaker).clear({ sessionId });
  repl.unanswered.forget({ userId: speaker.userId, ...(sessionId && { sessionId }) });
  if (sessionId === undefined) {
    repl.files.take(speaker.userId);
    repl.screen.forgetInput(speaker.userId);
  }
  repl.screen.print(`Deleted ${what}.\n`);
}
