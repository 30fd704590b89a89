import type { Draft } from "./input-buffer.js";

/** Keys that move the cursor or remove a character, as terminals and shells have them. */
export const EDIT_KEYS: Readonly<Record<string, (draft: Draft) => void>> = {
  left: (draft) => draft.left(),
  "ctrl-b": (draft) => draft.left(),
  right: (draft) => draft.right(),
  "ctrl-f": (draft) => draft.right(),
  home: (draft) => draft.lineStart(),
  "ctrl-a": (draft) => draft.lineStart(),
  end: (draft) => draft.lineEnd(),
  "ctrl-e": (draft) => draft.lineEnd(),
  "alt-b": (draft) => draft.wordLeft(),
  "ctrl-left": (draft) => draft.wordLeft(),
  "alt-left": (draft) => draft.wordLeft(),
  "alt-f": (draft) => draft.wordRight(),
  "ctrl-right": (draft) => draft.wordRight(),
  "alt-right": (draft) => draft.wordRight(),
  backspace: (draft) => draft.deleteLeft(),
  delete: (draft) => draft.deleteRight(),
  enter: (draft) => draft.insert("\n"),
  "alt-return": (draft) => draft.insert("\n"),
  "alt-enter": (draft) => draft.insert("\n"),
};

/** Keys that cut what they pass over, for Ctrl-Y to put back. */
export const CUT_KEYS: Readonly<Record<string, (draft: Draft) => void>> = {
  "ctrl-k": (draft) => draft.lineEnd(),
  "ctrl-u": (draft) => draft.lineStart(),
  "ctrl-w": (draft) => draft.blankWordLeft(),
  "alt-backspace": (draft) => draft.wordLeft(),
  "alt-d": (draft) => draft.wordRight(),
};
