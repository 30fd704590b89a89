import { exportUser, type UserExport } from "../memory/export.js";
import type { Memory } from "../memory/memory.js";
import type { StoredMessage } from "../messages.js";
import { sanitise } from "../sanitise.js";
import { safeJson } from "./safe-json.js";

/** One user's history, as it is exported. */
export interface HistoryDocument extends UserExport {
  readonly user: string;
  /** Null means all of the user's sessions. */
  readonly session: string | null;
}

export async function historyDocument(
  memory: Memory,
  user: string,
  sessionId: string | undefined,
): Promise<HistoryDocument> {
  return { user, session: sessionId ?? null, ...(await exportUser(memory, user, { sessionId })) };
}

/** How a history can be written, safe for a terminal: one JSON document, one JSON message a line, or Markdown to read. */
export const FORMATS: ReadonlyMap<string, (history: HistoryDocument) => string> = new Map([
  ["json", (history: HistoryDocument) => `${safeJson(history)}\n`],
  ["jsonl", ({ messages }) => messages.map((message) => `${safeJson(message)}\n`).join("")],
  ["md", markdown],
]);

function markdown({ user, session, messages }: HistoryDocument): string {
  const title = `# ${user}${session === null ? "" : `, session ${session}`}\n`;
  const blocks = messages.map((message) => `\n${heading(message)}\n\n${body(message)}\n`);
  return sanitise([title, ...blocks].join(""));
}

function heading(message: StoredMessage): string {
  const details = [
    message.sessionId === "default" ? "" : `session ${message.sessionId}`,
    message.role === "assistant" && message.interrupted ? "interrupted" : "",
    message.role === "assistant" && message.finishReason === "length"
      ? "cut at the token limit"
      : "",
    message.role === "tool" && message.isError ? "failed" : "",
  ].filter((detail) => detail !== "");
  return `## ${[message.role, ...details].join(", ")} · ${message.createdAt}`;
}

function body(message: StoredMessage): string {
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  const shown = calls.map(({ name, arguments: args }) => `- called \`${name}\` with \`${args}\``);
  return [message.content, shown.join("\n")].filter((part) => part !== "").join("\n\n");
}
