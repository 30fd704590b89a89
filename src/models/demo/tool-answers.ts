import type { Conversation, Intent, ToolAnswer } from "./demo-request.js";
import { everythingIn } from "./facts.js";
import { toYou } from "./sentences.js";

/** The keys that results of the built-in tools have. */
interface ToolResult {
  readonly date?: string;
  readonly time?: string;
  readonly weekday?: string;
  readonly timeZone?: string;
  readonly remembered?: string;
  readonly notes?: readonly string[];
  readonly forgotten?: readonly string[];
}

/** Puts each tool result into a sentence. */
export const sayToolAnswers: Intent = (conversation) => {
  const { answers } = conversation;
  if (answers.length === 0) return undefined;
  return answers
    .map((answer) => sentenceFor(answer, conversation))
    .join(answers.length > 1 ? "\n\n" : "");
};

function sentenceFor({ name, text, isError }: ToolAnswer, { said }: Conversation): string {
  if (isError) return `${FAILED.get(name) ?? `The tool ${name} failed`}: ${text}`;
  const result = parsed(text);
  if (name === "calculate") return `The result is ${text}.`;
  if (result.time)
    return `It is ${result.time} on ${result.weekday}, ${result.date} (${result.timeZone}).`;
  if (result.remembered) return `I will remember: ${toYou(result.remembered)}.`;
  if (result.notes) return notesAnd(everythingIn(said), result.notes);
  if (result.forgotten) return forgottenSentence(result.forgotten);
  return `${name} answered: ${text}`;
}

const FAILED: ReadonlyMap<string, string> = new Map([
  ["calculate", "The calculator could not work that out"],
  ["current_time", "The clock could not tell the time"],
  ["remember", "I could not make a note of that"],
  ["recall", "I could not read the notes"],
  ["forget", "I could not delete the note"],
]);

function parsed(text: string): ToolResult {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

function notesAnd(told: readonly string[], notes: readonly string[]): string {
  const lines = [
    ...notes.map((note) => `- ${toYou(note)} (a note)`),
    ...told.map((sentence) => `- ${sentence}`),
  ];
  return lines.length > 0
    ? ["This is what I remember:", "", ...lines].join("\n")
    : "I have no notes yet, and you have not told me anything about yourself in this conversation.";
}

const forgottenSentence = (forgotten: readonly string[]): string =>
  forgotten.length > 0
    ? `I have forgotten: ${forgotten.map(toYou).join("; ")}.`
    : "There is no note about that.";
