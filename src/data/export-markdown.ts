import type { StoredMessage } from "../messages.js";

/** The title of an export in Markdown. */
export const markdownTitle = (userId: string, sessionId: string | undefined): string =>
  `# ${userId}${sessionId === undefined ? "" : `, session ${sessionId}`}\n`;

/** One message in Markdown. It is not sanitised for a terminal. */
export function markdownMessage(message: StoredMessage): string {
  return `\n${subheading(message)}\n\n${body(message)}\n`;
}

function subheading(message: StoredMessage): string {
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
