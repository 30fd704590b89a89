import { sanitise } from "../../sanitise.js";
import { graphemes } from "../render/width.js";
import { beginsWithMark, blockContent } from "./block.js";

const LINE_END = /\r\n?/g;
const SMALL_PASTE = { lines: 5, characters: 1000 };
/** What of one paste is left on the screen when it is sent. */
const EXCERPT = { lines: 40, characters: 4000 };
const LONG_TEXT = { lines: 20, characters: 10_000 };

/** Noncharacters (Unicode 23.7) are meant for internal use: each stands for one paste in the text. */
const NONCHARACTERS = /[\ufdd0-\ufdef]/g;
const FIRST_STAND_IN = 0xfdd0;
const LAST_STAND_IN = 0xfdef;

const WORD_BEFORE = /[\p{L}\p{N}\p{M}_]*[^\p{L}\p{N}\p{M}_]*$/u;
const WORD_AFTER = /^[^\p{L}\p{N}\p{M}_]*[\p{L}\p{N}\p{M}_]*/u;
const BLANK_WORD_BEFORE = /\S*\s*$/;

/** The text being typed, where the cursor is in it, and the pastes that are shown as placeholders. */
export class Draft {
  #text = "";
  #cursor = 0;
  readonly #pastes = new Map<string, string>();
  #holdsPaste = false;

  /** A draft holding `text`, the cursor at its end. A very long text of many lines becomes a placeholder. */
  static of(text: string): Draft {
    const draft = new Draft();
    const safe = sanitise(text);
    if (isLong(safe)) draft.#insertPlaceholder(blockContent(safe) ?? safe);
    else draft.insert(safe);
    return draft;
  }

  /** What is typed, each paste as one private character. */
  get text(): string {
    return this.#text;
  }

  get beforeCursor(): string {
    return this.#text.slice(0, this.#cursor);
  }

  get afterCursor(): string {
    return this.#text.slice(this.#cursor);
  }

  get isEmpty(): boolean {
    return this.#text === "";
  }

  /** It holds a paste of several lines, or a long one: nothing that is typed again in a moment. */
  get holdsPaste(): boolean {
    return this.#holdsPaste && !this.isEmpty;
  }

  /** What would be sent now, every paste in its place; `literal` when it begins inside a paste or is a block. */
  get message(): { readonly text: string; readonly literal: boolean } {
    const block = blockContent(this.#text);
    const beginsWithPaste = this.#pastes.has(this.#text.trimStart().charAt(0));
    return {
      text: this.#replacePastes(block ?? this.#text, (pasted) => pasted),
      literal: (block !== undefined && beginsWithMark(this.#text)) || beginsWithPaste,
    };
  }

  /** The text and what of it is left of the cursor, as they may be shown. */
  get shown(): { readonly text: string; readonly beforeCursor: string } {
    return { text: this.#show(this.#text), beforeCursor: this.#show(this.beforeCursor) };
  }

  /** The text as it may stay on the screen once it is sent: pastes are there to be read, but for what is too long. */
  get transcript(): string {
    return this.#show(this.#text, excerpt);
  }

  #show(text: string, showPaste = placeholder): string {
    return this.#replacePastes(text, showPaste).replaceAll("\t", "    ");
  }

  insert(text: string): void {
    this.#put(typeable(text));
  }

  /** Puts `text` in front of it all; the cursor stays with what it was in. */
  prepend(text: string): void {
    const typed = typeable(text);
    this.#text = typed + this.#text;
    this.#cursor += typed.length;
  }

  /**
   * A small paste is as if typed; any other, and one of several lines that could be taken for a command or a block, becomes
   * a placeholder that the cursor treats as one character.
   */
  paste(raw: string): void {
    const text = sanitise(raw.replace(LINE_END, "\n")).replace(/\n+$/, "");
    const lines = text.split("\n").length;
    this.#holdsPaste ||= lines > 1 || text.length > SMALL_PASTE.characters;
    const isSmall = text.length <= SMALL_PASTE.characters && lines <= SMALL_PASTE.lines;
    if (isSmall && (lines === 1 || !meansMore(text))) this.insert(text);
    else this.#insertPlaceholder(text);
  }

  /** Puts `text` in place of all that is left of the cursor. */
  replaceBeforeCursor(text: string): void {
    this.#text = this.afterCursor;
    this.#cursor = 0;
    this.insert(text);
  }

  left(): void {
    this.#cursor -= graphemes(this.beforeCursor).at(-1)?.length ?? 0;
  }

  right(): void {
    this.#cursor += graphemes(this.afterCursor)[0]?.length ?? 0;
  }

  wordLeft(): void {
    this.#cursor -= lengthOf(WORD_BEFORE, this.beforeCursor);
  }

  wordRight(): void {
    this.#cursor += lengthOf(WORD_AFTER, this.afterCursor);
  }

  lineStart(): void {
    this.#cursor = this.beforeCursor.lastIndexOf("\n") + 1;
  }

  lineEnd(): void {
    const end = this.afterCursor.indexOf("\n");
    this.#cursor += end < 0 ? this.afterCursor.length : end;
  }

  textEnd(): void {
    this.#cursor = this.#text.length;
  }

  /** @returns whether there was a line above to go to */
  up(): boolean {
    const column = this.#column();
    this.lineStart();
    if (this.#cursor === 0) return this.#toColumn(column, false);
    this.#cursor--;
    this.lineStart();
    return this.#toColumn(column, true);
  }

  /** @returns whether there was a line below to go to */
  down(): boolean {
    const column = this.#column();
    if (!this.afterCursor.includes("\n")) return false;
    this.lineEnd();
    this.#cursor++;
    return this.#toColumn(column, true);
  }

  deleteLeft(): void {
    this.cut(() => this.left());
  }

  deleteRight(): void {
    this.cut(() => this.right());
  }

  /** Removes what `move` passes over, and returns it with every paste in its place. */
  cut(move: () => void): string {
    const from = this.#cursor;
    move();
    const [start, end] = from < this.#cursor ? [from, this.#cursor] : [this.#cursor, from];
    const removed = this.#text.slice(start, end);
    this.#text = this.#text.slice(0, start) + this.#text.slice(end);
    this.#cursor = start;
    return this.#replacePastes(removed, (pasted) => pasted);
  }

  blankWordLeft(): void {
    this.#cursor -= lengthOf(BLANK_WORD_BEFORE, this.beforeCursor);
  }

  #column(): number {
    return graphemes(this.beforeCursor.slice(this.beforeCursor.lastIndexOf("\n") + 1)).length;
  }

  #toColumn(column: number, moved: boolean): boolean {
    const line = this.afterCursor.split("\n", 1)[0] ?? "";
    this.#cursor += graphemes(line).slice(0, column).join("").length;
    return moved;
  }

  #put(text: string): void {
    this.#text = this.beforeCursor + text + this.afterCursor;
    this.#cursor += text.length;
  }

  #insertPlaceholder(text: string): void {
    const standIn = this.#freeStandIn();
    if (standIn === undefined) return this.insert(text);
    this.#pastes.set(standIn, text);
    this.#put(standIn);
  }

  #freeStandIn(): string | undefined {
    for (let code = FIRST_STAND_IN; code <= LAST_STAND_IN; code++) {
      const character = String.fromCharCode(code);
      if (!this.#text.includes(character)) return character;
    }
    return undefined;
  }

  #replacePastes(text: string, replace: (pasted: string) => string): string {
    return text.replace(NONCHARACTERS, (standIn) => replace(this.#pastes.get(standIn) ?? ""));
  }
}

const typeable = (text: string): string => sanitise(text).replace(NONCHARACTERS, "\ufffd");

function lengthOf(pattern: RegExp, text: string): number {
  return pattern.exec(text)?.[0].length ?? 0;
}

function isLong(text: string): boolean {
  if (!text.includes("\n")) return false;
  return text.length > LONG_TEXT.characters || text.split("\n").length > LONG_TEXT.lines;
}

/** Whether as typed text it could do something. */
const meansMore = (text: string): boolean =>
  text.trimStart().startsWith("/") || text.includes('"""') || text.endsWith("\\");

function excerpt(pasted: string): string {
  const lines = pasted.split("\n");
  const kept = lines.slice(0, EXCERPT.lines).join("\n").slice(0, EXCERPT.characters);
  if (kept.length === pasted.length) return pasted;
  const more = lines.length - kept.split("\n").length;
  return `${kept}\n[${more > 0 ? `${more} more lines` : `${pasted.length - kept.length} more characters`}]`;
}

function placeholder(pasted: string): string {
  const lines = pasted.split("\n").length;
  return lines > 1 ? `[pasted ${lines} lines]` : `[pasted ${pasted.length} characters]`;
}
