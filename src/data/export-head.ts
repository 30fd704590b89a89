import type { StoredMessage } from "../messages.js";

/** What a readable export opens with. */
export interface ExportHead {
  readonly userId: string;
  /** Undefined means all sessions. */
  readonly sessionId: string | undefined;
  readonly exportedAt: Date;
  /** The model of the latest reply. */
  readonly model: string | undefined;
  /** Whether older messages were left out on purpose. */
  readonly isPart: boolean;
}

/** Such as `alice, session work`. */
export const titleOf = ({ userId, sessionId }: ExportHead): string =>
  `${userId}${sessionId === undefined ? "" : `, session ${sessionId}`}`;

/** Such as `Exported 2026-11-26 19:05 UTC · model gpt-5.2`. */
export const originOf = ({ exportedAt, model, isPart }: ExportHead): string =>
  [
    `Exported ${exportedAt.toISOString().slice(0, 16).replace("T", " ")} UTC`,
    ...(model === undefined ? [] : [`model ${model}`]),
    ...(isPart ? ["the latest part of the history"] : []),
  ].join(" · ");

/** Who wrote a message and what is special about it, such as `assistant, interrupted`. */
export function headingOf(message: StoredMessage, head: ExportHead): string {
  const isReply = message.role === "assistant";
  const details = [
    message.sessionId === "default" ? "" : `session ${message.sessionId}`,
    message.model === undefined || message.model === head.model ? "" : message.model,
    isReply && message.interrupted ? "interrupted" : "",
    isReply && message.finishReason === "length" ? "cut at the token limit" : "",
    message.role === "tool" && message.isError ? "failed" : "",
  ].filter((detail) => detail !== "");
  return [message.role, ...details].join(", ");
}
