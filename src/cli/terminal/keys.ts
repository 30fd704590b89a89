import { StringDecoder } from "node:string_decoder";
import { altKey, applicationKey, controlKey, csiKey, type Key } from "./key-names.js";
import { PasteReader } from "./paste-reader.js";

export interface KeyListener {
  key(key: Key): void;
  /** All that was pasted at once, as the terminal sent it; `isCut` when there was more than is kept. */
  paste(text: string, isCut: boolean): void;
  /** What arrived together has been reported. */
  idle(): void;
  /** The terminal's answer to where the cursor is: its column, counted from 1. */
  cursorAt?(column: number): void;
}

/** Where in what a terminal sends the next byte stands. */
type State = "text" | "escape" | "application" | "csi" | "string" | "string-escape" | "skip";

const CTRL_C = 0x03;
const BEL = 0x07;
const CAN = 0x18;
const SUB = 0x1a;
const ESC = 0x1b;
const DEL = 0x7f;

const PASTE_START = "200~";

/** Row and column. So does F3 with Shift report itself, which nobody here hears. */
const POSITION = /^\d+;(\d+)R$/;

/** What begins a string behind ESC: DCS, SOS, OSC, PM and APC. */
const STRING_STARTS = "PX]^_";

/** What follows `CSI M`, a mouse report of the oldest kind: button, column, row. */
const OLD_MOUSE_BYTES = 3;

/** Bytes. No key is longer; of a longer sequence the rest is read, and forgotten. */
const LONGEST_KEY = 32;

/** Milliseconds. Long enough for the rest of a sequence that was cut in two, short enough for a lone Escape. */
const ESCAPE_WAIT = 50;

/** Milliseconds without data after which a sequence that was begun has no end. */
const SEQUENCE_WAIT = 1000;

/**
 * Turns what a terminal sends into keys and pastes. Sequences are read whole, by the form ECMA-48 gives them, before
 * any key is looked up: what a terminal reports by itself is dropped, and never typed.
 */
export class KeyDecoder {
  readonly #listener: KeyListener;
  readonly #decoder = new StringDecoder("utf8");
  readonly #paste: PasteReader;
  readonly #steps: Readonly<Record<State, (byte: number) => State>> = {
    text: (byte) => this.#text(byte),
    escape: (byte) => this.#escape(byte),
    application: (byte) => this.#application(byte),
    csi: (byte) => this.#csi(byte),
    string: (byte) => this.#string(byte),
    "string-escape": (byte) => (char(byte) === "\\" ? "text" : this.#escape(byte)),
    skip: () => (--this.#toSkip === 0 ? "text" : "skip"),
  };
  #state: State = "text";
  /** What came behind `CSI`. */
  #parameters = "";
  #stringStart = "";
  #toSkip = 0;
  #wait: NodeJS.Timeout | undefined;

  constructor(listener: KeyListener) {
    this.#listener = listener;
    this.#paste = new PasteReader(listener);
  }

  /** Takes what the terminal sent; it may end anywhere, also inside a character or a sequence. */
  write(chunk: Buffer | string): void {
    clearTimeout(this.#wait);
    let bytes: Buffer = Buffer.from(chunk);
    const wasPasting = this.#paste.goesOnWith(bytes);
    while (bytes.length > 0)
      bytes = this.#paste.isOpen ? this.#paste.write(bytes) : this.#typed(bytes);
    // Inside a paste nothing changed yet.
    if (!wasPasting || !this.#paste.isOpen) this.#listener.idle();
    if (this.#state !== "text") this.#awaitMore();
  }

  /** Reads up to the next paste and returns what is left. */
  #typed(bytes: Buffer): Buffer {
    let index = 0;
    while (index < bytes.length && !this.#paste.isOpen) {
      const end = this.#state === "text" ? endOfText(bytes, index) : index;
      this.#type(bytes.subarray(index, end));
      if (end < bytes.length) this.#state = this.#steps[this.#state](bytes[end] ?? 0);
      index = end + 1;
    }
    return bytes.subarray(index);
  }

  #type(bytes: Buffer): void {
    for (const text of this.#decoder.write(bytes)) this.#listener.key({ name: text, text });
  }

  #press(key: Key | undefined): State {
    if (key !== undefined) this.#listener.key(key);
    return "text";
  }

  #text(byte: number): State {
    if (byte === ESC) return "escape";
    if (isControl(byte)) return this.#press(controlKey(byte));
    this.#type(Buffer.of(byte));
    return "text";
  }

  #escape(byte: number): State {
    const character = char(byte);
    if (byte === ESC) return "escape"; // Alt in front of a key that is a sequence
    if (character === "[") return this.#beginSequence();
    if (character === "O") return "application";
    if (STRING_STARTS.includes(character)) return this.#beginString(character);
    if (byte > DEL) return this.#text(byte);
    const key = altKey(byte);
    if (key !== undefined) return this.#press(key);
    this.#press(controlKey(ESC));
    return this.#text(byte);
  }

  #application(byte: number): State {
    if (breaksOff(byte)) return this.#text(byte);
    const isParameter = byte < 0x40;
    return isParameter ? "application" : this.#press(applicationKey(char(byte)));
  }

  #beginSequence(): State {
    this.#parameters = "";
    return "csi";
  }

  #csi(byte: number): State {
    if (breaksOff(byte)) return this.#text(byte);
    const isFirst = this.#parameters === "";
    if (isFirst && char(byte) === "[") return this.#skip(1); // a function key of the Linux console
    if (isFirst && char(byte) === "M") return this.#skip(OLD_MOUSE_BYTES);
    if (this.#parameters.length < LONGEST_KEY) this.#parameters += char(byte);
    if (byte < 0x40) return "csi";
    if (this.#parameters === PASTE_START) this.#paste.open();
    else this.#sequence(this.#parameters);
    return "text";
  }

  #sequence(parameters: string): void {
    const column = POSITION.exec(parameters)?.[1];
    if (column === undefined) this.#press(csiKey(parameters));
    else this.#listener.cursorAt?.(Number(column));
  }

  #skip(count: number): State {
    this.#toSkip = count;
    return "skip";
  }

  #beginString(start: string): State {
    this.#stringStart = start;
    return "string";
  }

  #string(byte: number): State {
    if (byte === ESC) return "string-escape";
    if (byte === CTRL_C) return this.#text(byte);
    const isEnd = byte === CAN || byte === SUB || (byte === BEL && this.#stringStart === "]");
    return isEnd ? "text" : "string";
  }

  /** What was begun either ends soon, or never: then it is forgotten, but for a lone Escape, which is a key. */
  #awaitMore(): void {
    const isEscape = this.#state === "escape";
    this.#wait = setTimeout(
      () => {
        this.#state = "text";
        if (!isEscape) return;
        this.#press(controlKey(ESC));
        this.#listener.idle();
      },
      isEscape ? ESCAPE_WAIT : SEQUENCE_WAIT,
    ).unref();
  }
}

const char = (byte: number): string => String.fromCharCode(byte);

const isControl = (byte: number): boolean => byte < 0x20 || byte === DEL;

/** Whether a sequence cannot go on with this byte, which is something of its own then. */
const breaksOff = (byte: number): boolean => byte < 0x20 || byte >= DEL;

function endOfText(bytes: Buffer, from: number): number {
  let end = from;
  while (end < bytes.length && !isControl(bytes[end] ?? 0)) end++;
  return end;
}
