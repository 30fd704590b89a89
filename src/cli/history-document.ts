import type { Memory, SessionState } from "../memory/memory.js";
import type { StoredMessage } from "../messages.js";
import { sanitise } from "../sanitise.js";
import { safeJson } from "./safe-json.js";

/** One user's history, as it is exported. */
export interface HistoryDocument {
  readonly user: string;
  /** Null means all of the user's sessions. */
  readonly session: string | null;
  /** Oldest first. */
  readonly messages: readonly StoredMessage[];
  /** Session state by session; only sessions that have one. */
  readonly state: Readonly<Record<string, SessionState>>;
}

export async function historyDocument(
  memory: Memory,
  user: string,
  session: string | undefined,
): Promise<HistoryDocument> {
  const messages = await memory.getMessages(user, { sessionId: session });
  const state: Record<string, SessionState> = Object.create(null);
  for (const { sessionId } of await memory.sessions(user)) {
    if (session !== undefined && sessionId !== session) continue;
    const values = await memory.getState(user, { sessionId });
    if (Object.keys(values).length > 0) state[sessionId] = values;
  }
  return { user, session: session ?? null, messages, state };
}

/** How a history can be written, safe for a terminal: one JSON document, one JSON message a line, or Markdown to read. */
export const FORMATS: Readonly<Record<string, (history: HistoryDocument) => string>> = {
  json: (history) => `${safeJson(history)}\n`,
  jsonl: ({ messages }) => messages.map((message) => `${safeJson(message)}\n`).join(""),
  md: markdown,
};

function markdown({ user, session, messages }: HistoryDocument): string {
  const title = `# ${user}${session === null ? "" : `, session ${session}`}\n`;
  const blocks = messages.map((message) => `\n${heading(message)}\n\n${body(message)}\n`);
  return sanitise([title, ...blocks].join(""));
}

function heading(message: StoredMessage): string {
  const details = [
    message.sessionId === "default" ? "" : `session ${message.sessionId}`,
    message.role === "assistant" && message.interrupted ? "interrupted" : "",
    message.role === "tool" && message.isError ? "failed" : "",
  ].filter((detail) => detail !== "");
  return `## ${[message.role, ...details].join(", ")} · ${message.createdAt}`;
}

function body(message: StoredMessage): string {
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  const shown = calls.map(({ name, arguments: args }) => `- called \`${name}\` with \`${args}\``);
  return [message.content, shown.join("\n")].filter((part) => part !== "").join("\n\n");
}
