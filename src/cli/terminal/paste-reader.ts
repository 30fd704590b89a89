export interface PasteListener {
  paste(text: string, isCut: boolean): void;
  idle(): void;
}

const PASTE_END = Buffer.from("\x1b[201~");
const CTRL_C = Buffer.from("\x03");
const NOTHING: Buffer = Buffer.alloc(0);

/** Bytes kept of one paste. */
export const LARGEST_PASTE = 8 * 1024 * 1024;

/** A paste counts as complete when no data follows for this long: its end mark may be lost. */
const PASTE_WAIT_MS = 3000;

/** A Ctrl-C that arrives alone after a silence of this length was pressed, not pasted. */
const SILENCE_MS = 100;

/** The input of one key: a character or a sequence. */
const ONE_KEY = /^(?:.|\r|\n|\x1b(?:\[[\d;]*[A-Za-z~]|O[A-Za-z]|.)?)$/su;

/**
 * Reads a paste up to its end mark. Without the mark, the paste ends with Ctrl-C or after a
 * silence. Input after that still counts as a paste, until a single key arrives.
 */
export class PasteReader {
  readonly #listener: PasteListener;
  #state: "closed" | "open" | "overdue" = "closed";
  #chunks: Buffer[] = [];
  #size = 0;
  #isCut = false;
  /** The last bytes, if they may be the start of the end mark. */
  #held = NOTHING;
  #latest = 0;
  #wait: NodeJS.Timeout | undefined;

  constructor(listener: PasteListener) {
    this.#listener = listener;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  open(): void {
    this.#state = "open";
    this.#await();
  }

  /** Whether the next `chunk` belongs to the paste before it. May reopen or close that paste. */
  resumesWith(chunk: Buffer): boolean {
    if (this.#state === "overdue") this.#state = isOneKey(chunk) ? "closed" : "open";
    return this.#state === "open";
  }

  /** Takes the part that belongs to the paste and returns the rest. */
  write(bytes: Buffer): Buffer {
    if (performance.now() - this.#latest > SILENCE_MS && bytes.equals(CTRL_C)) {
      this.#end("overdue");
      return NOTHING;
    }
    const all = Buffer.concat([this.#held, bytes]);
    const end = all.indexOf(PASTE_END);
    if (end < 0) return this.#continue(all);
    this.#keep(all.subarray(0, end));
    this.#end("closed");
    return all.subarray(end + PASTE_END.length);
  }

  #continue(bytes: Buffer): Buffer {
    const length = bytes.length - lengthOfMarkStart(bytes);
    this.#keep(bytes.subarray(0, length));
    this.#held = bytes.subarray(length);
    this.#await();
    return NOTHING;
  }

  #keep(bytes: Buffer): void {
    const kept = bytes.subarray(0, LARGEST_PASTE - this.#size);
    this.#isCut ||= kept.length < bytes.length;
    this.#size += kept.length;
    if (kept.length > 0) this.#chunks.push(kept);
  }

  #end(state: "closed" | "overdue"): void {
    clearTimeout(this.#wait);
    const text = Buffer.concat(this.#chunks).toString("utf8");
    const isCut = this.#isCut;
    this.#chunks = [];
    this.#size = 0;
    this.#isCut = false;
    this.#held = NOTHING;
    this.#state = state;
    this.#listener.paste(text, isCut);
  }

  #await(): void {
    this.#latest = performance.now();
    clearTimeout(this.#wait);
    this.#wait = setTimeout(() => {
      this.#end("overdue");
      this.#listener.idle();
    }, PASTE_WAIT_MS).unref();
  }
}

const isOneKey = (chunk: Buffer): boolean => ONE_KEY.test(chunk.toString("utf8"));

/** How many bytes at the end of `bytes` may be the start of the end mark. */
function lengthOfMarkStart(bytes: Buffer): number {
  let length = Math.min(PASTE_END.length - 1, bytes.length);
  while (!bytes.subarray(bytes.length - length).equals(PASTE_END.subarray(0, length))) length--;
  return length;
}
