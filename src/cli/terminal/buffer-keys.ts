import type { InputBuffer } from "./input-buffer.js";

/** Keys that move the cursor, insert a line feed or delete a character, as in a shell. */
export const EDIT_KEYS: Readonly<Record<string, (buffer: InputBuffer) => void>> = {
  left: (buffer) => buffer.left(),
  "ctrl-b": (buffer) => buffer.left(),
  right: (buffer) => buffer.right(),
  "ctrl-f": (buffer) => buffer.right(),
  home: (buffer) => buffer.lineStart(),
  "ctrl-a": (buffer) => buffer.lineStart(),
  end: (buffer) => buffer.lineEnd(),
  "ctrl-e": (buffer) => buffer.lineEnd(),
  "alt-b": (buffer) => buffer.wordLeft(),
  "ctrl-left": (buffer) => buffer.wordLeft(),
  "alt-left": (buffer) => buffer.wordLeft(),
  "alt-f": (buffer) => buffer.wordRight(),
  "ctrl-right": (buffer) => buffer.wordRight(),
  "alt-right": (buffer) => buffer.wordRight(),
  backspace: (buffer) => buffer.deleteLeft(),
  delete: (buffer) => buffer.deleteRight(),
  enter: (buffer) => buffer.insert("\n"),
  "alt-return": (buffer) => buffer.insert("\n"),
  "alt-enter": (buffer) => buffer.insert("\n"),
};

/** Keys that cut the text they move over. Ctrl-Y inserts it again. */
export const CUT_KEYS: Readonly<Record<string, (buffer: InputBuffer) => void>> = {
  "ctrl-k": (buffer) => buffer.lineEnd(),
  "ctrl-u": (buffer) => buffer.lineStart(),
  "ctrl-w": (buffer) => buffer.blankWordLeft(),
  "alt-backspace": (buffer) => buffer.wordLeft(),
  "alt-d": (buffer) => buffer.wordRight(),
};
