/** Where the input of users is kept between runs of the program. */
export interface InputStore {
  /** Oldest first; `[]` for a user never seen. */
  read(userId: string): string[];
  append(userId: string, text: string): void;
  remove(userId: string): void;
}

/** Entries kept of one user. */
export const MAX_ENTRIES = 1000;

/** UTF-16 units. A longer entry is remembered until the program ends, not stored. */
const MAX_STORED_LENGTH = 64 * 1024;

/** What one user has sent, for Up and Ctrl-R. */
export class InputHistory {
  readonly #userId: string;
  readonly #store: InputStore | undefined;
  #storing: boolean;
  #loaded = false;
  #entries: string[] = [];

  /** Without a store nothing outlives the program. Nothing is read before `entries` is first asked for. */
  constructor(userId: string, store?: InputStore) {
    this.#userId = userId;
    this.#store = store;
    this.#storing = store !== undefined;
  }

  /**
   * Oldest first, at most 1,000, the same one never twice in a row.
   * @throws {AgnoChatError} what the store throws, once; from then on the history lives in this program alone
   */
  entries(): readonly string[] {
    this.load();
    return this.#entries;
  }

  /** Reads what earlier runs stored, unless that was done. Throws as `entries` does. */
  load(): void {
    if (this.#loaded) return;
    this.#loaded = true;
    const earlier = this.#stored((store) => store.read(this.#userId)) ?? [];
    const all = [...earlier, ...this.#entries];
    this.#entries = all.filter((text, index) => text !== all[index - 1]).slice(-MAX_ENTRIES);
  }

  /** Blank text, text that begins with a space, and the latest entry once more are not kept. Throws as `entries` does. */
  add(text: string): void {
    if (text.trim() === "" || text.startsWith(" ")) return;
    this.load();
    if (text === this.#entries.at(-1)) return;
    this.#entries.push(text);
    if (this.#entries.length > MAX_ENTRIES) this.#entries.shift();
    if (text.length <= MAX_STORED_LENGTH) this.#stored((store) => store.append(this.#userId, text));
  }

  /** Forgets all of it, stored entries included. */
  clear(): void {
    this.#loaded = true;
    this.#entries = [];
    this.#store?.remove(this.#userId);
  }

  #stored<T>(use: (store: InputStore) => T): T | undefined {
    if (!this.#storing || this.#store === undefined) return undefined;
    this.#storing = false;
    const result = use(this.#store);
    this.#storing = true;
    return result;
  }
}
