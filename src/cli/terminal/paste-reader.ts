export interface PasteListener {
  paste(text: string, isCut: boolean): void;
  idle(): void;
}

const PASTE_END = Buffer.from("\x1b[201~");
const CTRL_C = Buffer.from("\x03");
const NOTHING: Buffer = Buffer.alloc(0);

/** Bytes kept of one paste. */
export const LARGEST_PASTE = 8 * 1024 * 1024;

/** Milliseconds without data after which a paste is taken for ended: its end mark may be lost. */
const PASTE_WAIT = 3000;

/** Milliseconds. What comes alone after a silence of this length was pressed, not pasted. */
const SILENCE = 100;

/** One key as a terminal sends it: a character, or a sequence. */
const ONE_KEY = /^(?:.|\r|\n|\x1b(?:\[[\d;]*[A-Za-z~]|O[A-Za-z]|.)?)$/su;

/**
 * Reads a paste up to its end mark. One whose mark never comes ends by Ctrl-C, or when nothing more comes; whatever of it
 * comes later still is a paste as well, and only a single key is a key again.
 */
export class PasteReader {
  readonly #listener: PasteListener;
  #state: "closed" | "open" | "overdue" = "closed";
  #chunks: Buffer[] = [];
  #size = 0;
  #isCut = false;
  /** What could be the beginning of the end mark. */
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

  /** Whether `chunk`, the next that comes, belongs to a paste that was begun earlier. */
  goesOnWith(chunk: Buffer): boolean {
    if (this.#state === "overdue") this.#state = isOneKey(chunk) ? "closed" : "open";
    return this.#state === "open";
  }

  /** Takes what belongs to the paste and returns what is left. */
  write(bytes: Buffer): Buffer {
    if (performance.now() - this.#latest > SILENCE && bytes.equals(CTRL_C)) {
      this.#end("overdue");
      return NOTHING;
    }
    const all = Buffer.concat([this.#held, bytes]);
    const end = all.indexOf(PASTE_END);
    if (end < 0) return this.#goOn(all);
    this.#keep(all.subarray(0, end));
    this.#end("closed");
    return all.subarray(end + PASTE_END.length);
  }

  #goOn(bytes: Buffer): Buffer {
    const length = bytes.length - markBegunIn(bytes);
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
    }, PASTE_WAIT).unref();
  }
}

const isOneKey = (chunk: Buffer): boolean => ONE_KEY.test(chunk.toString("utf8"));

/** How many bytes at the end of `bytes` could begin the end mark. */
function markBegunIn(bytes: Buffer): number {
  let length = Math.min(PASTE_END.length - 1, bytes.length);
  while (!bytes.subarray(bytes.length - length).equals(PASTE_END.subarray(0, length))) length--;
  return length;
}
