import type { StoredMessage } from "../../messages.js";
import type { Wanted } from "../store.js";

/** The messages that a search has found so far, newest first. */
export class Found {
  readonly messages: StoredMessage[] = [];
  readonly #wanted: Wanted;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  get isFull(): boolean {
    return this.messages.length >= this.#wanted.most;
  }

  /** Takes the message if it is wanted. */
  take(message: StoredMessage | undefined): void {
    const { query, sessionId, since } = this.#wanted;
    if (message === undefined || this.isFull) return;
    if (sessionId !== undefined && message.sessionId !== sessionId) return;
    if (Date.parse(message.createdAt) < since || !query.matches(message.content)) return;
    this.messages.push(message);
  }

  /**
   * Takes the wanted messages of a page above the id `after`, and tells where the page before it
   * ends; undefined if no message of that page can be wanted.
   */
  takePage(page: readonly StoredMessage[], after = 0): number | undefined {
    for (const message of page.toReversed()) if (message.id > after) this.take(message);
    const first = page[0]?.id ?? 0;
    return this.isFull || first <= after + 1 ? undefined : first;
  }
}
