import { type Cancellation, onAbort } from "../abort.js";
import { AgnoChatError } from "../errors.js";
import type { SessionId, UserId } from "../ids.js";

/**
 * What a new run does when its session already has one under way: wait, be refused, or cancel the
 * earlier ones.
 */
export type OnBusy = "queue" | "reject" | "cancel";

const MAX_WAITING = 100;

interface Entry {
  readonly cancellation: Cancellation;
  clears: number;
  start?: () => void;
}

/** One run's slot in the queue of its session. */
export interface QueueSlot {
  /**
   * Resolves when it is this run's turn; undefined if it already is. Rejects with the reason if the
   * run is cancelled.
   */
  readonly turn: Promise<void> | undefined;
  /** How often the user or session was cleared since the run joined the queue. */
  clears(): number;
  /** Leaves the queue, so that the next run can start. */
  leave(): void;
}

/**
 * One run at a time per user and session, in the order of the calls. Runs of different users or
 * sessions never wait for each other.
 */
export class RunQueue {
  readonly #lines = new Map<string, Entry[]>();

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
    const entry: Entry = { cancellation, clears: 0 };
    const clears = () => entry.clears;
    const leave = () => this.#leave(key, entry);

    if (line === undefined) {
      this.#lines.set(key, [entry]);
      return { turn: undefined, clears, leave };
    }
    if (onBusy === "cancel") for (const earlier of line) earlier.cancellation.abort(replaced());
    else if (onBusy === "reject" || line.length > MAX_WAITING) throw busy(line.length);
    line.push(entry);
    return { turn: turnOf(entry), clears, leave };
  }

  /** Tells the runs of one session, or of all sessions of a user, that it is being cleared. */
  clear(userId: UserId, sessionId: SessionId | undefined): void {
    for (const [key, line] of this.#lines)
      if (sessionId === undefined ? userOfKey(key) === userId : key === lineKey(userId, sessionId))
        for (const entry of line) entry.clears += 1;
  }

  /** Users with a run under way or waiting. */
  activeUsers(): ReadonlySet<string> {
    return new Set([...this.#lines.keys()].map(userOfKey));
  }

  #leave(key: string, entry: Entry): void {
    const line = this.#lines.get(key);
    if (line === undefined) return;
    const wasFirst = line[0] === entry;
    const position = line.indexOf(entry);
    if (position >= 0) line.splice(position, 1);
    if (line.length === 0) this.#lines.delete(key);
    else if (wasFirst) line[0]?.start?.();
  }
}

/** Ids never contain NUL, so no two pairs share a key. */
const lineKey = (userId: UserId, sessionId: SessionId): string => `${userId}\0${sessionId}`;

const userOfKey = (key: string): string => key.slice(0, key.indexOf("\0"));

function turnOf(entry: Entry): Promise<void> {
  const { cancellation } = entry;
  return new Promise((resolve, reject) => {
    const forget = onAbort(cancellation, () => reject(cancellation.reason));
    entry.start = () => {
      forget();
      resolve();
    };
  });
}

const busy = (length: number) =>
  new AgnoChatError("BUSY", `This session already has ${length} runs under way or waiting.`, {
    hint: "Wait for a reply, then try again.",
  });

const replaced = () =>
  new AgnoChatError("CANCELLED", "The run was cancelled by a newer message in the same session.");
