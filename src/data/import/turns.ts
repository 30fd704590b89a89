import { createHash } from "node:crypto";
import type { NewMessage } from "../../messages.js";
import type { Batch, ImportedRun } from "./conversation.js";
import { sessionNameOf } from "./session-title.js";

interface Source {
  readonly source: string;
  /** The id of the conversation there; empty if it has none. */
  readonly id: string;
  readonly title: string;
}

/**
 * A conversation as runs, each of which begins at a user message. What the assistant said in
 * several messages becomes one. Undefined if nothing was said.
 */
export function turnsToBatch(
  turns: readonly NewMessage[],
  { source, id, title }: Source,
): Batch | undefined {
  const [first] = turns;
  if (first === undefined) return undefined;
  const mark = digestOf([source, id === "" ? first.content : id]).slice(0, 8);
  return { name: sessionNameOf(title, mark), mark: `-${mark}`, runs: runsOf(joined(turns), mark) };
}

function joined(turns: readonly NewMessage[]): NewMessage[] {
  const messages: NewMessage[] = [];
  for (const turn of turns) {
    const last = messages.at(-1);
    if (turn.role !== "assistant" || last?.role !== "assistant") messages.push(turn);
    else messages[messages.length - 1] = { ...last, content: `${last.content}\n\n${turn.content}` };
  }
  return messages;
}

/**
 * Runs whose ids say what was said up to them, so that a conversation that went on has the same
 * ones again and some more.
 */
export function runsOf(messages: readonly NewMessage[], mark: string): ImportedRun[] {
  const runs: { runId: string; messages: NewMessage[] }[] = [];
  let digest = mark;
  for (const message of messages) {
    if (runs.length === 0 || message.role === "user") {
      digest = digestOf([digest, message.role, message.content]);
      runs.push({ runId: `import-${digest.slice(0, 32)}`, messages: [] });
    }
    runs.at(-1)?.messages.push(message);
  }
  return runs.map(({ runId, messages: own }) => ({
    runId,
    messages: own.map((message) => ({ ...message, runId })),
  }));
}

export const digestOf = (texts: readonly string[]): string =>
  createHash("sha256").update(JSON.stringify(texts)).digest("hex");

/** The latest time that is believed: clocks differ by no more than a day. */
const FUTURE_MS = 86_400_000;

/**
 * A time as ISO 8601, from that or from seconds since 1970. Undefined for anything else, and for a
 * time in the future.
 */
export function timeOf(value: unknown): string | undefined {
  const date = new Date(typeof value === "number" ? value * 1000 : String(value));
  const isKnown = typeof value === "number" || typeof value === "string";
  if (!isKnown || !(date.getTime() > 0 && date.getTime() <= Date.now() + FUTURE_MS))
    return undefined;
  return date.toISOString();
}
