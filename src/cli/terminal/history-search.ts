import { singleLine } from "../../sanitise.js";

/** A search in earlier input, as with Ctrl-R. */
export class HistorySearch {
  readonly #entries: readonly string[];
  #query = "";
  #index: number;

  constructor(entries: readonly string[]) {
    this.#entries = entries;
    this.#index = entries.length;
  }

  /** The newest entry that contains the query; undefined while there is none. */
  get match(): string | undefined {
    return this.#query === "" ? undefined : this.#entries[this.#index];
  }

  /** The position of the match among the entries. */
  get index(): number {
    return this.#index;
  }

  /** True when no entry contains the query. */
  get hasNoMatch(): boolean {
    return this.#query !== "" && this.match === undefined;
  }

  get prompt(): string {
    const word = this.hasNoMatch ? "no match" : "search";
    return `(${word}) ${singleLine(this.#query, 200)}: `;
  }

  type(text: string): void {
    this.#query += text;
    this.#find(Math.min(this.#index, this.#entries.length - 1));
  }

  deleteLeft(): void {
    this.#query = Array.from(this.#query).slice(0, -1).join("");
    this.#find(this.#entries.length - 1);
  }

  /** Moves to the next older match, if there is one. */
  older(): void {
    const before = this.#index;
    this.#find(before - 1);
    if (this.match === undefined) this.#index = before;
  }

  #find(from: number): void {
    const query = this.#query.toLowerCase();
    this.#index = from;
    while (this.#index >= 0 && !this.#entries[this.#index]?.toLowerCase().includes(query))
      this.#index--;
  }
}
