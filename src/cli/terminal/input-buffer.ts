import { latePattern } from "../../late-pattern.js";
import { sanitise } from "../../sanitise.js";
import { graphemes } from "../render/width.js";
import { beginsWithMark, blockContent } from "./block.js";

const LINE_END = /\r\n?/g;
const SMALL_PASTE = { lines: 5, characters: 1000 };
/** How much of one paste stays on the screen after sending. */
const EXCERPT = { lines: 40, characters: 4000 };
const LONG_TEXT = { lines: 20, characters: 10_000 };

/** In the text, each paste is one noncharacter: Unicode 23.7 reserves them for internal use. */
const NONCHARACTERS = /[\ufdd0-\ufdef]/g;
const FIRST_STAND_IN = 0xfdd0;
const LAST_STAND_IN = 0xfdef;

const wordBefore = latePattern(String.raw`[\p{L}\p{N}\p{M}_]*[^\p{L}\p{N}\p{M}_]*$`, "u");
const wordAfter = latePattern(String.raw`^[^\p{L}\p{N}\p{M}_]*[\p{L}\p{N}\p{M}_]*`, "u");
const BLANK_WORD_BEFORE = /\S*\s*$/;

/** The text being typed, the cursor, and the pastes shown as placeholders. */
export class InputBuffer {
  #text = "";
  #cursor = 0;
  readonly #pastes = new Map<string, string>();
  #holdsPaste = false;

  /** A buffer with the cursor at the end. A long text of several lines becomes a placeholder. */
  static of(text: string): InputBuffer {
    const buffer = new InputBuffer();
    const safe = sanitise(text);
    if (isLong(safe)) buffer.#insertPlaceholder(blockContent(safe) ?? safe);
    else buffer.insert(safe);
    return buffer;
  }

  /** The text, each placeholder as one noncharacter. */
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

  /** Whether it contains a paste of several lines or a long one, which is hard to type again. */
  get holdsPaste(): boolean {
    return this.#holdsPaste && !this.isEmpty;
  }

  /**
   * The message as it would be sent, pastes included. `literal`: it is a block or begins with a
   * placeholder, so it is not a command.
   */
  get message(): { readonly text: string; readonly literal: boolean } {
    const block = blockContent(this.#text);
    const beginsWithPaste = this.#pastes.has(this.#text.trimStart().charAt(0));
    return {
      text: this.#replacePastes(block ?? this.#text, (pasted) => pasted),
      literal: (block !== undefined && beginsWithMark(this.#text)) || beginsWithPaste,
    };
  }

  /** The text and its part before the cursor, as shown, with placeholders for pastes. */
  get shown(): { readonly text: string; readonly beforeCursor: string } {
    return { text: this.#show(this.#text), beforeCursor: this.#show(this.beforeCursor) };
  }

  /** The text as it stays on the screen after sending, with the beginning of each paste. */
  get sentText(): string {
    return this.#show(this.#text, excerpt);
  }

  #show(text: string, showPaste = placeholder): string {
    return this.#replacePastes(text, showPaste).replaceAll("\t", "    ");
  }

  insert(text: string): void {
    this.#put(typeable(text));
  }

  /** Inserts `text` at the start. The cursor stays where it was in the earlier text. */
  prepend(text: string): void {
    const typed = typeable(text);
    this.#text = typed + this.#text;
    this.#cursor += typed.length;
  }

  /**
   * Inserts a small paste as if typed. A large one becomes a placeholder, one character for the
   * cursor; so do several lines that could be taken for a command or a block.
   */
  paste(raw: string): void {
    const text = sanitise(raw.replace(LINE_END, "\n")).replace(/\n+$/, "");
    const lines = text.split("\n").length;
    this.#holdsPaste ||= lines > 1 || text.length > SMALL_PASTE.characters;
    const isSmall = text.length <= SMALL_PASTE.characters && lines <= SMALL_PASTE.lines;
    if (isSmall && (lines === 1 || !wouldBeInterpreted(text))) this.insert(text);
    else this.#insertPlaceholder(text);
  }

  /** Replaces everything before the cursor. */
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
    this.#cursor -= lengthOf(wordBefore(), this.beforeCursor);
  }

  wordRight(): void {
    this.#cursor += lengthOf(wordAfter(), this.afterCursor);
  }

  lineStart(): void {
    this.#cursor = this.beforeCursor.lastIndexOf("\n") + 1;
  }

  lineEnd(): void {
    const end = this.afterCursor.indexOf("\n");
    this.#cursor += end < 0 ? this.afterCursor.length : end;
  }

  /** Moves to the line above. Returns whether there was one. */
  up(): boolean {
    const column = this.#column();
    this.lineStart();
    if (this.#cursor === 0) return this.#toColumn(column, false);
    this.#cursor--;
    this.lineStart();
    return this.#toColumn(column, true);
  }

  /** Moves to the line below. Returns whether there was one. */
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

  /** Removes the text that `move` moves over, and returns it with its pastes. */
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

/** Whether `text`, if typed, could be taken for a command, a block or a line continuation. */
const wouldBeInterpreted = (text: string): boolean =>
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
