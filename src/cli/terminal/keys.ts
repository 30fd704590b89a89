import { StringDecoder } from "node:string_decoder";
import { altKey, applicationKey, controlKey, csiKey, type Key } from "./key-names.js";
import { PasteReader } from "./paste-reader.js";

export interface KeyListener {
  key(key: Key): void;
  /** One whole paste, as the terminal sent it. `isCut`: it was too long, and its end is missing. */
  paste(text: string, isCut: boolean): void;
  /** Called after everything in one chunk of input has been reported. */
  idle(): void;
  /** The terminal's reply to a cursor position query: the column, counted from 1. */
  cursorAt?(column: number): void;
}

/** What the next byte belongs to. */
type DecoderState = "text" | "escape" | "application" | "csi" | "string" | "string-escape" | "skip";

const CTRL_C = 0x03;
const BEL = 0x07;
const CAN = 0x18;
const SUB = 0x1a;
const ESC = 0x1b;
const DEL = 0x7f;

const PASTE_START = "200~";

/** Row and column. Shift-F3 sends the same, but is not used here. */
const POSITION = /^\d+;(\d+)R$/;

/** After ESC, these start a string: DCS, SOS, OSC, PM and APC. */
const STRING_STARTS = "PX]^_";

/** The bytes after `CSI M`, the oldest kind of mouse report: button, column, row. */
const OLD_MOUSE_BYTES = 3;

/** Bytes. No key is longer; the rest of a longer sequence is read and dropped. */
const LONGEST_KEY = 32;

/** Long enough for the rest of a split sequence, short enough for a lone Escape. */
const ESCAPE_WAIT_MS = 50;

/** An unfinished sequence is dropped when no data follows for this long. */
const SEQUENCE_WAIT_MS = 1000;

/**
 * Turns a terminal's input into keys and pastes. Reads each sequence whole, as ECMA-48 defines it,
 * before looking up the key, so that an unknown sequence or a report is dropped and never typed.
 */
export class KeyDecoder {
  readonly #listener: KeyListener;
  readonly #decoder = new StringDecoder("utf8");
  readonly #paste: PasteReader;
  readonly #steps: Readonly<Record<DecoderState, (byte: number) => DecoderState>> = {
    text: (byte) => this.#text(byte),
    escape: (byte) => this.#escape(byte),
    application: (byte) => this.#application(byte),
    csi: (byte) => this.#csi(byte),
    string: (byte) => this.#string(byte),
    "string-escape": (byte) => (char(byte) === "\\" ? "text" : this.#escape(byte)),
    skip: () => (--this.#toSkip === 0 ? "text" : "skip"),
  };
  #state: DecoderState = "text";
  /** The part after `CSI`. */
  #parameters = "";
  #stringStart = "";
  #toSkip = 0;
  #wait: NodeJS.Timeout | undefined;

  constructor(listener: KeyListener) {
    this.#listener = listener;
    this.#paste = new PasteReader(listener);
  }

  /** Takes a chunk of input, which may end anywhere, even inside a character or a sequence. */
  write(chunk: Buffer | string): void {
    clearTimeout(this.#wait);
    let bytes: Buffer = Buffer.from(chunk);
    const wasPasting = this.#paste.resumesWith(bytes);
    while (bytes.length > 0)
      bytes = this.#paste.isOpen ? this.#paste.write(bytes) : this.#typed(bytes);
    // In the middle of a paste, nothing has been reported yet.
    if (!wasPasting || !this.#paste.isOpen) this.#listener.idle();
    if (this.#state !== "text") this.#awaitMore();
  }

  /** Reads up to the start of the next paste and returns the rest. */
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

  #press(key: Key | undefined): DecoderState {
    if (key !== undefined) this.#listener.key(key);
    return "text";
  }

  #text(byte: number): DecoderState {
    if (byte === ESC) return "escape";
    if (isControl(byte)) return this.#press(controlKey(byte));
    this.#type(Buffer.of(byte));
    return "text";
  }

  #escape(byte: number): DecoderState {
    const character = char(byte);
    if (byte === ESC) return "escape"; // Alt and a key that sends a sequence
    if (character === "[") return this.#beginSequence();
    if (character === "O") return "application";
    if (STRING_STARTS.includes(character)) return this.#beginString(character);
    if (byte > DEL) return this.#text(byte);
    const key = altKey(byte);
    if (key !== undefined) return this.#press(key);
    this.#press(controlKey(ESC));
    return this.#text(byte);
  }

  #application(byte: number): DecoderState {
    if (interruptsSequence(byte)) return this.#text(byte);
    const isParameter = byte < 0x40;
    return isParameter ? "application" : this.#press(applicationKey(char(byte)));
  }

  #beginSequence(): DecoderState {
    this.#parameters = "";
    return "csi";
  }

  #csi(byte: number): DecoderState {
    if (interruptsSequence(byte)) return this.#text(byte);
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

  #skip(count: number): DecoderState {
    this.#toSkip = count;
    return "skip";
  }

  #beginString(start: string): DecoderState {
    this.#stringStart = start;
    return "string";
  }

  #string(byte: number): DecoderState {
    if (byte === ESC) return "string-escape";
    if (byte === CTRL_C) return this.#text(byte);
    const isEnd = byte === CAN || byte === SUB || (byte === BEL && this.#stringStart === "]");
    return isEnd ? "text" : "string";
  }

  /** Drops the unfinished sequence unless more arrives soon. A lone ESC is reported as a key. */
  #awaitMore(): void {
    const isEscape = this.#state === "escape";
    this.#wait = setTimeout(
      () => {
        this.#state = "text";
        if (!isEscape) return;
        this.#press(controlKey(ESC));
        this.#listener.idle();
      },
      isEscape ? ESCAPE_WAIT_MS : SEQUENCE_WAIT_MS,
    ).unref();
  }
}

const char = (byte: number): string => String.fromCharCode(byte);

const isControl = (byte: number): boolean => byte < 0x20 || byte === DEL;

/** Whether this byte cannot be part of a sequence, and so is read on its own. */
const interruptsSequence = (byte: number): boolean => byte < 0x20 || byte >= DEL;

function endOfText(bytes: Buffer, from: number): number {
  let end = from;
  while (end < bytes.length && !isControl(bytes[end] ?? 0)) end++;
  return end;
}
