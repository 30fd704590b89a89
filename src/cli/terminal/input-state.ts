import type { UserId } from "../../ids.js";
import { singleLine } from "../../sanitise.js";
import { asBlock, isOpenBlock } from "./block.js";
import { CUT_KEYS, EDIT_KEYS } from "./buffer-keys.js";
import { HistorySearch } from "./history-search.js";
import { InputBuffer } from "./input-buffer.js";
import type { InputHistory } from "./input-history.js";
import { inputView } from "./input-view.js";
import type { Key } from "./key-names.js";
import type { View } from "./terminal-screen.js";

const MAX_QUERY = 200;

/** The earlier entry shown after Up or Down, and the draft to return to. */
interface HistoryPosition {
  readonly entries: readonly string[];
  /** The index of the entry shown. */
  readonly index: number;
  readonly original: InputBuffer;
}

/** One user's half-typed message, cut text, and position in the input history. */
export class UserInputState {
  readonly owner: UserId;
  history: InputHistory;
  #draft = new InputBuffer();
  #cut = "";
  #position: HistoryPosition | undefined;
  #search: HistorySearch | undefined;

  constructor(owner: UserId, history: InputHistory) {
    this.owner = owner;
    this.history = history;
  }

  get draft(): InputBuffer {
    return this.#draft;
  }

  get isSearching(): boolean {
    return this.#search !== undefined;
  }

  /** Whether there is nothing to keep until the owner is back. */
  get isEmpty(): boolean {
    return this.#draft.isEmpty && this.#cut === "" && this.#position === undefined;
  }

  view(prompt: string, columns: number): View {
    const search = this.#search;
    if (search === undefined) return inputView({ prompt, columns, ...this.#draft.shown });
    const text = InputBuffer.of(search.match ?? "").shown.text.replaceAll("\n", " ");
    return inputView({ prompt: search.prompt, columns, text, beforeCursor: "" });
  }

  /** The rows that stay on the screen after sending. */
  sentRows(prompt: string, columns: number): readonly string[] {
    const text = this.#draft.sentText;
    return inputView({ prompt, columns, text, beforeCursor: text }).rows;
  }

  /** Replaces the draft. `literal`: not a command. */
  replace(text: string, literal: boolean): void {
    this.#draft = InputBuffer.of(literal ? asBlock(text) : text);
    this.#position = undefined;
  }

  /** Inserts `text`, as it was typed, on its own lines before the draft. */
  prepend(text: string): void {
    if (this.#draft.isEmpty) this.#draft = InputBuffer.of(text);
    else this.#draft.prepend(`${text}\n`);
  }

  clear(): void {
    this.#draft = new InputBuffer();
    this.#position = undefined;
    this.#search = undefined;
  }

  /**
   * Handles Enter where it does not send: in an open block and after a final backslash. Returns
   * false elsewhere.
   */
  continueOnNextLine(): boolean {
    const draft = this.#draft;
    if (isOpenBlock(draft.text)) draft.insert("\n");
    else if (draft.afterCursor === "" && draft.beforeCursor.endsWith("\\")) {
      draft.deleteLeft();
      draft.insert("\n");
    } else return false;
    return true;
  }

  /** Handles a key that edits or types. */
  edit({ name, text }: Key): void {
    const draft = this.#draft;
    const cut = CUT_KEYS[name];
    if (cut !== undefined) this.#cut = draft.cut(() => cut(draft)) || this.#cut;
    else if (name === "ctrl-y") draft.paste(this.#cut);
    else if (name in EDIT_KEYS) EDIT_KEYS[name]?.(draft);
    else draft.insert(text);
  }

  /** During a search, a paste is added to the query. */
  paste(raw: string): void {
    if (this.#search === undefined) this.#draft.paste(raw);
    else this.#search.type(singleLine(raw, MAX_QUERY));
  }

  /** Up: the line above, otherwise the previous entry. A draft with a paste stays. */
  older(): void {
    if (this.#draft.up() || this.#draft.holdsPaste) return;
    const entries = this.#position?.entries ?? this.history.entries();
    this.#showEntry(entries, (this.#position?.index ?? entries.length) - 1);
  }

  /** Down: the line below, otherwise the next entry, and after the last one the draft. */
  newer(): void {
    if (this.#draft.down() || this.#position === undefined) return;
    const { entries, index, original } = this.#position;
    if (index + 1 < entries.length) return this.#showEntry(entries, index + 1);
    this.#draft = original;
    this.#position = undefined;
  }

  /** Ctrl-R: starts a search, or moves to the next older match. */
  search(): void {
    if (this.#search === undefined) this.#search = new HistorySearch(this.history.entries());
    else this.#search.older();
  }

  /** Returns false for a key that ends the search and then acts on the match. */
  searchKey({ name, text }: Key): boolean {
    if (name === "backspace") this.#search?.deleteLeft();
    else if (text !== "") this.#search?.type(text);
    else return false;
    return true;
  }

  /**
   * Ends the search and shows the match, or the earlier draft when there is none or `accept` is
   * false. Returns false when the query had no match: the draft was not visible then, so the key
   * must not act on it.
   */
  endSearch(accept: boolean): boolean {
    const search = this.#search;
    this.#search = undefined;
    if (accept && search?.match !== undefined)
      this.#showEntry(this.history.entries(), search.index);
    return search?.hasNoMatch !== true;
  }

  #showEntry(entries: readonly string[], index: number): void {
    const entry = entries[index];
    if (entry === undefined) return;
    this.#position = { entries, index, original: this.#position?.original ?? this.#draft };
    this.#draft = InputBuffer.of(entry);
  }
}
