import { singleLine } from "../../sanitise.js";
import { asBlock, isOpenBlock } from "./block.js";
import { CUT_KEYS, EDIT_KEYS } from "./buffer-keys.js";
import { HistorySearch } from "./history-search.js";
import { Draft } from "./input-buffer.js";
import type { InputHistory } from "./input-history.js";
import { inputView } from "./input-view.js";
import type { Key } from "./key-names.js";
import type { View } from "./terminal-screen.js";

const MAX_QUERY = 200;

/** Going through earlier input with Up and Down, and the draft to come back to. */
interface Walk {
  readonly entries: readonly string[];
  /** Of the entry shown. */
  readonly index: number;
  readonly original: Draft;
}

/** Where one user types: the draft, the way through earlier input, and what was cut. Nothing of it is another user's. */
export class Desk {
  readonly owner: string;
  history: InputHistory;
  #draft = new Draft();
  #cut = "";
  #walk: Walk | undefined;
  #search: HistorySearch | undefined;

  constructor(owner: string, history: InputHistory) {
    this.owner = owner;
    this.history = history;
  }

  get draft(): Draft {
    return this.#draft;
  }

  get isSearching(): boolean {
    return this.#search !== undefined;
  }

  /** Nothing here needs to be kept for the owner to come back to. */
  get isBare(): boolean {
    return this.#draft.isEmpty && this.#cut === "" && this.#walk === undefined;
  }

  view(prompt: string, columns: number): View {
    const search = this.#search;
    if (search === undefined) return inputView({ prompt, columns, ...this.#draft.shown });
    const text = Draft.of(search.match ?? "").shown.text.replaceAll("\n", " ");
    return inputView({ prompt: search.prompt, columns, text, beforeCursor: "" });
  }

  /** What stays on the screen of a message that is sent. */
  transcript(prompt: string, columns: number): readonly string[] {
    const text = this.#draft.transcript;
    return inputView({ prompt, columns, text, beforeCursor: text }).rows;
  }

  /** Puts `text` in place of the draft; `literal` keeps it from being taken for a command. */
  replace(text: string, literal: boolean): void {
    this.#draft = Draft.of(literal ? asBlock(text) : text);
    this.#walk = undefined;
  }

  /** Puts `text` as it was typed in front of the draft, on lines of its own. */
  prepend(text: string): void {
    if (this.#draft.isEmpty) this.#draft = Draft.of(text);
    else this.#draft.prepend(`${text}\n`);
  }

  clear(): void {
    this.#draft = new Draft();
    this.#walk = undefined;
    this.#search = undefined;
  }

  /** Enter where it does not send: inside a block, and after a backslash at the end. */
  continueOnNextLine(): boolean {
    const draft = this.#draft;
    if (isOpenBlock(draft.text)) draft.insert("\n");
    else if (draft.afterCursor === "" && draft.beforeCursor.endsWith("\\")) {
      draft.deleteLeft();
      draft.insert("\n");
    } else return false;
    return true;
  }

  /** Keys that edit or type. */
  edit({ name, text }: Key): void {
    const draft = this.#draft;
    const cut = CUT_KEYS[name];
    if (cut !== undefined) this.#cut = draft.cut(() => cut(draft)) || this.#cut;
    else if (name === "ctrl-y") draft.paste(this.#cut);
    else if (name in EDIT_KEYS) EDIT_KEYS[name]?.(draft);
    else draft.insert(text);
  }

  /** What was pasted while searching is part of what is searched for. */
  paste(raw: string): void {
    if (this.#search === undefined) this.#draft.paste(raw);
    else this.#search.type(singleLine(raw, MAX_QUERY));
  }

  /** Up: the line above, else the entry before; a draft that holds a paste stays. */
  older(): void {
    if (this.#draft.up() || this.#draft.holdsPaste) return;
    const entries = this.#walk?.entries ?? this.history.entries();
    this.#walkTo(entries, (this.#walk?.index ?? entries.length) - 1);
  }

  /** Down: the line below, else the entry after, at last the draft that was being typed. */
  newer(): void {
    if (this.#draft.down() || this.#walk === undefined) return;
    const { entries, index, original } = this.#walk;
    if (index + 1 < entries.length) return this.#walkTo(entries, index + 1);
    this.#draft = original;
    this.#walk = undefined;
  }

  /** Ctrl-R: begins to search, or goes on to the next older match. */
  search(): void {
    if (this.#search === undefined) this.#search = new HistorySearch(this.history.entries());
    else this.#search.older();
  }

  /** @returns false when the key ends the search and is to be done on what was found */
  searchKey({ name, text }: Key): boolean {
    if (name === "backspace") this.#search?.deleteLeft();
    else if (text !== "") this.#search?.type(text);
    else return false;
    return true;
  }

  /**
   * Ends the search with what was found, or with the draft as it was.
   * @returns false when nothing was found for what was looked for: the draft was out of sight then
   */
  endSearch(accept: boolean): boolean {
    const search = this.#search;
    this.#search = undefined;
    if (accept && search?.match !== undefined) this.#walkTo(this.history.entries(), search.index);
    return search?.isVain !== true;
  }

  #walkTo(entries: readonly string[], index: number): void {
    const entry = entries[index];
    if (entry === undefined) return;
    this.#walk = { entries, index, original: this.#walk?.original ?? this.#draft };
    this.#draft = Draft.of(entry);
  }
}
