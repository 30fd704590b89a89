import { CHANGES_KEPT, type StateChange } from "../../state.js";

interface Entry {
  /** The commit's first message. */
  readonly id: number;
  /** The values that the commit has replaced. */
  readonly before: readonly StateChange[];
}

/** What the last commits of a session have changed of its state, oldest first. */
export class ChangeLog {
  #entries: Entry[] = [];
  /** The latest commit that is no longer kept; 0 if all are. */
  forgotten = 0;

  note(id: number, before: readonly StateChange[]): void {
    this.#entries.push({ id, before });
    if (this.#entries.length <= CHANGES_KEPT) return;
    const [oldest, ...kept] = this.#entries;
    this.forgotten = oldest?.id ?? 0;
    this.#entries = kept;
  }

  /** Removes the commits after a message; returns what gives their values back, in order. */
  takeAfter(id: number): StateChange[] {
    const taken = this.#entries.filter((entry) => entry.id > id);
    this.#entries = this.#entries.filter((entry) => entry.id <= id);
    return taken.reverse().flatMap(({ before }) => before);
  }

  /** Forgets commits whose messages are dropped: they cannot be taken back any more. */
  dropBefore(id: number): void {
    this.#entries = this.#entries.filter((entry) => entry.id >= id);
    if (this.forgotten < id) this.forgotten = 0;
  }

  /**
   * Forgets the commits whose messages are gone. `lastUpTo`: the last message that is left up to an
   * id; 0 if there is none.
   */
  drop(isGone: (id: number) => boolean, lastUpTo: (id: number) => number): void {
    this.#entries = this.#entries.filter(({ id }) => !isGone(id));
    this.forgotten = lastUpTo(this.forgotten);
  }

  /** The same changes of copies of the messages. */
  copy(idOf: (id: number) => number): ChangeLog {
    const log = new ChangeLog();
    log.#entries = this.#entries.map(({ id, before }) => ({ id: idOf(id), before }));
    log.forgotten = this.forgotten === 0 ? 0 : idOf(this.forgotten);
    return log;
  }
}
