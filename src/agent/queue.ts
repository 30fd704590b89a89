import type { Cancellation } from "../abort.js";
import { AgnoChatError } from "../errors.js";
import type { SessionId, UserId } from "../ids.js";

/**
 * What a new run does when its session already has one under way: wait, be refused, or cancel the
 * earlier ones.
 */
export type OnBusy = "queue" | "reject" | "cancel";

const MAX_WAITING = 100;

/** One run's slot in the queue of its session. */
export class QueueSlot {
  readonly #queue: RunQueue;
  readonly #key: string;
  readonly cancellation: Cancellation;
  /** How often the user or session was cleared since the run joined the queue. */
  clears = 0;
  /** Resolves when it is this run's turn or it is cancelled; undefined if it already is. */
  turn: Promise<unknown> | undefined;
  #start: ((value: unknown) => void) | undefined;

  constructor(queue: RunQueue, key: string, cancellation: Cancellation) {
    this.#queue = queue;
    this.#key = key;
    this.cancellation = cancellation;
  }

  wait(): void {
    this.turn = new Promise((resolve) => {
      this.#start = resolve;
      this.cancellation.listen(resolve);
    });
  }

  start(): void {
    if (this.#start === undefined) return;
    this.cancellation.forget(this.#start);
    this.#start(undefined);
  }

  /** Leaves the queue, so that the next run can start. */
  leave(): void {
    this.#queue.leave(this.#key, this);
  }
}

/**
 * One run at a time per user and session, in the order of the calls. Runs of different users or
 * sessions never wait for each other.
 */
export class RunQueue {
  readonly #lines = new Map<string, QueueSlot[]>();

  /**
   * Joins the queue at once, before anything is awaited.
   * @throws {AgnoChatError} `BUSY`
   */
  join(
    userId: UserId,
    sessionId: SessionId,
    cancellation: Cancellation,
    onBusy: OnBusy,
  ): QueueSlot {
    const key = lineKey(userId, sessionId);
    const line = this.#lines.get(key);
    const slot = new QueueSlot(this, key, cancellation);
    if (line === undefined) {
      this.#lines.set(key, [slot]);
      return slot;
    }
    if (onBusy === "cancel") for (const earlier of line) earlier.cancellation.abort(replaced());
    else if (onBusy === "reject" || line.length > MAX_WAITING) throw busy(line.length);
    line.push(slot);
    slot.wait();
    return slot;
  }

  /** Tells the runs of one session, or of all sessions of a user, that it is being cleared. */
  clear(userId: UserId, sessionId: SessionId | undefined): void {
    for (const [key, line] of this.#lines)
      if (sessionId === undefined ? userOfKey(key) === userId : key === lineKey(userId, sessionId))
        for (const slot of line) slot.clears += 1;
  }

  /** Users with a run under way or waiting. */
  activeUsers(): ReadonlySet<string> {
    return new Set([...this.#lines.keys()].map(userOfKey));
  }

  /** @internal Use `QueueSlot.leave`. */
  leave(key: string, slot: QueueSlot): void {
    const line = this.#lines.get(key);
    if (line === undefined) return;
    if (line[0] === slot) {
      line.shift();
      if (line.length === 0) this.#lines.delete(key);
      else line[0]?.start();
      return;
    }
    const position = line.indexOf(slot);
    if (position > 0) line.splice(position, 1);
  }
}

/** Ids never contain NUL, so no two pairs share a key. */
const lineKey = (userId: UserId, sessionId: SessionId): string => `${userId}\0${sessionId}`;

const userOfKey = (key: string): string => key.slice(0, key.indexOf("\0"));

const busy = (length: number) =>
  new AgnoChatError("BUSY", `This session already has ${length} runs under way or waiting.`, {
    hint: "Wait for a reply, then try again.",
  });

const replaced = () =>
  new AgnoChatError("CANCELLED", "The run was cancelled by a newer message in the same session.");
