import type { UserId } from "../../ids.js";

/** Keeps users' input after the program ends. */
export interface InputStore {
  /** Oldest first; `[]` for an unknown user. */
  read(userId: UserId): string[];
  append(userId: UserId, text: string): void;
  remove(userId: UserId): void;
}

/** Entries kept for one user. */
export const MAX_ENTRIES = 1000;

/** UTF-16 units. A longer entry is kept until the program ends, but not stored. */
const MAX_STORED_LENGTH = 64 * 1024;

/** What one user has sent, for Up and Ctrl-R. */
export class InputHistory {
  readonly #userId: UserId;
  readonly #store: InputStore | undefined;
  #storing: boolean;
  #loaded = false;
  #entries: string[] = [];

  /** Without a store, entries last until the program ends. The store is read on first use. */
  constructor(userId: UserId, store?: InputStore) {
    this.#userId = userId;
    this.#store = store;
    this.#storing = store !== undefined;
  }

  /**
   * Oldest first, at most 1,000, never the same one twice in a row.
   * @throws {AgnoChatError} when the store fails; the store is not used again after that
   */
  entries(): readonly string[] {
    this.load();
    return this.#entries;
  }

  /** Reads the stored entries, unless that was already done. Throws as `entries` does. */
  load(): void {
    if (this.#loaded) return;
    this.#loaded = true;
    const earlier = this.#stored((store) => store.read(this.#userId)) ?? [];
    const all = [...earlier, ...this.#entries];
    this.#entries = all.filter((text, index) => text !== all[index - 1]).slice(-MAX_ENTRIES);
  }

  /**
   * Adds an entry, unless it is blank, begins with a space or repeats the latest one. Throws as
   * `entries` does.
   */
  add(text: string): void {
    if (text.trim() === "" || text.startsWith(" ")) return;
    this.load();
    if (text === this.#entries.at(-1)) return;
    this.#entries.push(text);
    if (this.#entries.length > MAX_ENTRIES) this.#entries.shift();
    if (text.length <= MAX_STORED_LENGTH) this.#stored((store) => store.append(this.#userId, text));
  }

  /** Deletes all entries, also from the store. */
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
