import type { JsonValue } from "../memory/memory.js";
import { defineTool } from "./define-tool.js";
import type { Toolkit } from "./tool.js";

/** The key of the notes in the session state: a list of texts, oldest first. */
export const NOTES_KEY = "notes";

const MAX_NOTES = 1_000;

/**
 * Toolkit `notes`: `remember`, `recall` and `forget`, kept in the state of the caller's session.
 */
export const notes = (): Toolkit => ({ name: "notes", tools: [remember, recall, forget] });

const text = (description: string) => ({
  type: "string",
  minLength: 1,
  maxLength: 2_000,
  description,
});

const remember = defineTool<{ readonly text: string }>({
  name: "remember",
  needsMemory: true,
  description: "Keeps a note for later in this session.",
  parameters: {
    type: "object",
    properties: { text: text("What to remember, in one sentence") },
    required: ["text"],
    additionalProperties: false,
  },
  execute: ({ text }, { update }) => {
    update(NOTES_KEY, (value) => {
      const kept = notesIn(value);
      if (kept.includes(text)) return value;
      if (kept.length >= MAX_NOTES)
        throw new Error(`There are ${MAX_NOTES} notes already; forget some first.`);
      return [...kept, text];
    });
    return { remembered: text };
  },
});

const recall = defineTool<{ readonly text?: string }>({
  name: "recall",
  needsMemory: true,
  description: "Lists the notes of this session: all of them, or those that contain a text.",
  parameters: {
    type: "object",
    properties: { text: text("Only notes that contain this, in any case") },
    additionalProperties: false,
  },
  execute: ({ text = "" }, { state }) => ({
    notes: notesIn(state[NOTES_KEY]).filter(containing(text)),
  }),
});

const forget = defineTool<{ readonly text: string }>({
  name: "forget",
  needsMemory: true,
  description: "Deletes every note that contains a text, and tells which.",
  parameters: {
    type: "object",
    properties: { text: text("What the notes to delete contain, in any case") },
    required: ["text"],
    additionalProperties: false,
  },
  execute: ({ text }, { state, update }) => {
    const matches = containing(text);
    const forgotten = notesIn(state[NOTES_KEY]).filter(matches);
    if (forgotten.length > 0)
      update(NOTES_KEY, (value) => notesIn(value).filter((note) => !matches(note)));
    return { forgotten };
  },
});

/** The program can change the state too, so anything that is not a note is skipped. */
function notesIn(notes: JsonValue | undefined): string[] {
  return Array.isArray(notes) ? notes.filter((note) => typeof note === "string") : [];
}

const containing = (text: string) => (note: string) =>
  note.toLowerCase().includes(text.toLowerCase());
