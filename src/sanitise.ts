/**
 * Makes text safe for a terminal in pieces, which may end anywhere, even inside an escape sequence.
 */
export interface Sanitiser {
  /** Returns the text that is now known to be safe. Each result is safe on its own. */
  write(chunk: string): string;
  /** Returns what was still held back. Call it once, at the end of the text. */
  end(): string;
}

/**
 * Makes `text` safe for a terminal or a log. Removes whole escape sequences, complete or not, and
 * then every control except tab and line feed, bidi override or isolate, line or paragraph
 * separator and tag character. CRLF becomes LF; a lone surrogate becomes U+FFFD; U+200E and U+200F
 * stay, since right-to-left text needs them. Linear in the length of `text`.
 */
export function sanitise(text: string): string {
  const sanitiser = createSanitiser();
  return sanitiser.write(text) + sanitiser.end();
}

/**
 * Creates a `sanitise` for text that arrives in chunks: however the text is cut, the joined results
 * equal `sanitise` of the whole. An endless sequence swallows at most the rest of its line, or 4096
 * characters.
 */
export function createSanitiser(): Sanitiser {
  let state: ParserState = "text";
  let consumed = 0;
  let highSurrogate = "";

  function pass(text: string): string {
    let safe = "";
    let index = 0;
    while (index < text.length) {
      if (state === "text") {
        const end = indexOfUnsafe(text, index);
        safe += text.slice(index, end);
        index = end;
        if (index === text.length) break;
      }
      const character = String.fromCodePoint(text.codePointAt(index) ?? 0);
      index += character.length;
      if (step(character)) safe += character;
    }
    return safe;
  }

  /** Advances by one character. True when that character is text. */
  function step(character: string): boolean {
    const next = nextState(state, character);
    consumed = SEQUENCE_STARTS.has(character) ? 0 : consumed + 1;
    state = next === "ended" || consumed === LONGEST_SEQUENCE ? "text" : next;
    return next === "text" && !UNSAFE.test(character);
  }

  return {
    write(chunk) {
      const text = highSurrogate + chunk;
      highSurrogate = /[\ud800-\udbff]$/.exec(text)?.[0] ?? "";
      return pass(text.slice(0, text.length - highSurrogate.length).toWellFormed());
    },
    end() {
      return pass(highSurrogate.toWellFormed());
    },
  };
}

/**
 * Puts `text` on one line, for log lines, names and reasons: sanitised, with each run of white
 * space as one space, and cut with "…" to at most `max` code points (at least 1).
 */
export function singleLine(text: string, max: number): string {
  const folded = sanitise(text.replace(LINE_ENDS, "\n")).replace(/\s+/g, " ").trim();
  const characters = Array.from(folded.slice(0, 2 * (max + 1)));
  return characters.length <= max ? folded : `${characters.slice(0, max - 1).join("")}…`;
}

/**
 * The state of a terminal reading the text. "ended" is text again, right after a sequence ended.
 */
type ParserState = "text" | "escape" | "designation" | "control" | "string" | "ended";

const LONGEST_SEQUENCE = 4096;

const LINE_ENDS = /[\r\v\f\x85\u2028\u2029]/g;

const UNSAFE = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u;
const NEXT_UNSAFE = new RegExp(UNSAFE.source, "gu");

/**
 * ESC, and the introducers of ECMA-48 as single C1 characters. Each starts a new sequence anywhere.
 */
const SEQUENCE_STARTS: ReadonlyMap<string, ParserState> = new Map([
  ["\x1b", "escape"],
  ["\x9b", "control"],
  ["\x90", "string"],
  ["\x98", "string"],
  ["\x9d", "string"],
  ["\x9e", "string"],
  ["\x9f", "string"],
]);

/** The same introducers written after ESC, and `k`, the window title of screen and tmux. */
const ESCAPED_STARTS: ReadonlyMap<string, ParserState> = new Map([
  ["[", "control"],
  ["P", "string"],
  ["X", "string"],
  ["]", "string"],
  ["^", "string"],
  ["_", "string"],
  ["k", "string"],
]);

/** CAN, SUB and ST. */
const SEQUENCE_ENDS = "\x18\x1a\x9c";

function indexOfUnsafe(text: string, from: number): number {
  NEXT_UNSAFE.lastIndex = from;
  return NEXT_UNSAFE.exec(text)?.index ?? text.length;
}

function nextState(state: ParserState, character: string): ParserState {
  if (state === "text") return SEQUENCE_STARTS.get(character) ?? "text";
  const start =
    SEQUENCE_STARTS.get(character) ??
    (state === "escape" ? ESCAPED_STARTS.get(character) : undefined);
  if (start !== undefined) return start;
  if (SEQUENCE_ENDS.includes(character)) return "ended";
  if (state === "string") return nextInString(character);
  if (UNSAFE.test(character)) return state; // obeyed at once; the sequence continues
  return state === "control" ? nextInControl(character) : nextInEscape(character);
}

function nextInString(character: string): ParserState {
  if (character === "\n") return "text";
  return character === "\x07" ? "ended" : "string";
}

function nextInControl(character: string): ParserState {
  if (/[ -?]/.test(character)) return "control";
  return /[@-~]/.test(character) ? "ended" : "text";
}

function nextInEscape(character: string): ParserState {
  if (/[ -/]/.test(character)) return "designation";
  return /[0-~]/.test(character) ? "ended" : "text";
}
