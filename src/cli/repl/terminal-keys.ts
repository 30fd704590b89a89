import { emitKeypressEvents } from "node:readline";
import { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/** A key, for example `a`, `return`, `ctrl-c`, `alt-b`, `left`, and the text it types, "" when it types none. */
export interface Key {
  readonly name: string;
  readonly text: string;
}

export interface KeyListener {
  key(key: Key): void;
  /** All that was pasted at once, exactly as the terminal sent it. */
  paste(text: string): void;
  /** What arrived together has been reported. */
  idle(): void;
}

/** What readline hands to a keypress listener. */
interface Keypress {
  readonly name?: string | undefined;
  readonly ctrl?: boolean;
  readonly meta?: boolean;
}

const PASTE_START = "\x1b[200~";
const PASTE_END = "\x1b[201~";

/** Milliseconds. Long enough for the rest of a sequence that was cut in two, short enough for a lone Escape. */
const ESCAPE_WAIT = 50;

/**
 * Turns what a terminal sends into keys and pastes. readline decodes the keys; pastes are cut out before, whole, since
 * readline would take them for keys one by one. This is the one file that leans on readline's keys.
 */
export class KeyDecoder {
  readonly #listener: KeyListener;
  readonly #decoder = new StringDecoder("utf8");
  readonly #keys = new Readable({ read() {} });
  #held = "";
  #pasted: string[] | undefined;
  #wait: NodeJS.Timeout | undefined;

  constructor(listener: KeyListener) {
    this.#listener = listener;
    // The second argument is an Interface to readline, which reads only its escapeCodeTimeout.
    emitKeypressEvents(this.#keys, { escapeCodeTimeout: ESCAPE_WAIT } as never);
    this.#keys.on("keypress", (text: string | undefined, keypress: Keypress) => {
      listener.key(toKey(text, keypress));
      // readline reports a lone Escape late, by its timer.
      if (keypress.name === "escape") listener.idle();
    });
  }

  /** Takes what the terminal sent; it may end anywhere, also inside a character or a sequence. */
  write(chunk: Buffer | string): void {
    clearTimeout(this.#wait);
    let text = this.#held + (typeof chunk === "string" ? chunk : this.#decoder.write(chunk));
    this.#held = "";
    const wasPasting = this.#pasted !== undefined;
    while (text !== "") text = this.#pasted === undefined ? this.#typed(text) : this.#paste(text);
    // Inside a paste nothing changed yet.
    if (!wasPasting || this.#pasted === undefined) this.#listener.idle();
    if (this.#held === "" || this.#pasted !== undefined) return;
    this.#wait = setTimeout(() => this.#release(), ESCAPE_WAIT);
  }

  /** Reports what is typed before the next paste and returns what is left. */
  #typed(text: string): string {
    const start = text.indexOf(PASTE_START);
    const typed = start < 0 ? this.#holdBack(text, PASTE_START) : text.slice(0, start);
    if (typed !== "") this.#keys.emit("data", Buffer.from(typed));
    if (start < 0) return "";
    this.#pasted = [];
    return text.slice(start + PASTE_START.length);
  }

  /** Takes what belongs to the paste and returns what is left. */
  #paste(text: string): string {
    const end = text.indexOf(PASTE_END);
    this.#pasted?.push(end < 0 ? this.#holdBack(text, PASTE_END) : text.slice(0, end));
    if (end < 0) return "";
    const pasted = this.#pasted?.join("") ?? "";
    this.#pasted = undefined;
    this.#listener.paste(pasted);
    return text.slice(end + PASTE_END.length);
  }

  /** Keeps back what could be the beginning of `marker`, and returns the text before it. */
  #holdBack(text: string, marker: string): string {
    let length = Math.min(marker.length - 1, text.length);
    while (!text.endsWith(marker.slice(0, length))) length--;
    this.#held = text.slice(text.length - length);
    return text.slice(0, text.length - length);
  }

  #release(): void {
    const held = this.#held;
    this.#held = "";
    this.#keys.emit("data", Buffer.from(held));
    this.#listener.idle();
  }
}

function toKey(text: string | undefined, { name, ctrl, meta }: Keypress): Key {
  const modifiers = `${ctrl ? "ctrl-" : ""}${meta && name !== "escape" ? "alt-" : ""}`;
  const types = text !== undefined && !/\p{Cc}/u.test(text);
  return { name: `${modifiers}${name ?? text ?? ""}`, text: types ? text : "" };
}
