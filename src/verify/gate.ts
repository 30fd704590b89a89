import { setImmediate as turn } from "node:timers/promises";
import { onAbort } from "../abort.js";
import { afterAwake } from "./awake.js";
import type { PlantedRun } from "./ledger.js";
import type { Random } from "./random.js";

/** How held calls go on: all in one tick, or one tick after the other. */
const RELEASES = ["together", "reversed", "shuffled", "staggered"] as const;
export type Release = (typeof RELEASES)[number];

/** Each in turn. */
export const releaseIn = (round: number): Release => RELEASES[round % RELEASES.length] as Release;

interface Held {
  readonly run: PlantedRun;
  readonly go: () => void;
}

interface WaitOptions {
  /** How much time this process must have had; see `afterAwake`. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface FullOptions extends WaitOptions {
  /** The sends whose calls are to be held; they never reject. */
  readonly sent?: readonly Promise<unknown>[] | undefined;
}

/** Holds calls of the model until all that are expected are under way, so that they overlap. */
export class Gate {
  readonly #random: Random;
  #holds: (run: PlantedRun) => boolean = () => false;
  #held: Held[] = [];
  /** Called when a call comes, and when it ends to be held. */
  #changed: (() => void) | undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  /** From here on the calls of these runs wait. */
  hold(holds: (run: PlantedRun) => boolean = () => true): void {
    this.#holds = holds;
  }

  get held(): readonly PlantedRun[] {
    return this.#held.map(({ run }) => run);
  }

  /** Waits while this run is held; rejects with the signal's reason when that aborts. */
  async pass(run: PlantedRun, signal: AbortSignal): Promise<void> {
    if (!this.#holds(run)) return this.#changed?.();
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const forget = onAbort(signal, () => {
        this.#held = this.#held.filter((held) => held.go !== go);
        this.#changed?.();
        reject(signal.reason);
      });
      const go = (): void => {
        forget();
        resolve();
      };
      this.#held.push({ run, go });
      this.#changed?.();
    });
  }

  /**
   * Waits until `count` calls are held. A send that has ended counts as one, because it can no
   * longer be held. False after `timeoutMs` or an abort.
   */
  full(count: number, { timeoutMs, signal, sent = [] }: FullOptions): Promise<boolean> {
    let ended = 0;
    for (const one of sent)
      void one.then(() => {
        ended++;
        this.#changed?.();
      });
    return this.#until(() => this.#held.length + ended >= count, timeoutMs, signal);
  }

  /** Waits until no call is held, as when their callers gave up; as `full`. */
  empty(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    return this.#until(() => this.#held.length === 0, timeoutMs, signal);
  }

  /** Waits until these runs have come to the model. Returns those that have. */
  async coming(
    runs: readonly PlantedRun[],
    { timeoutMs, signal }: WaitOptions,
  ): Promise<readonly PlantedRun[]> {
    const come = (): readonly PlantedRun[] => runs.filter(({ requests }) => requests > 0);
    await this.#until(() => come().length === runs.length, timeoutMs, signal);
    return come();
  }

  async #until(isSo: () => boolean, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    if (isSo()) return true;
    if (signal.aborted) return false;
    return new Promise((resolve) => {
      const end = (is: boolean): void => {
        giveUp();
        forget();
        this.#changed = undefined;
        resolve(is);
      };
      const fail = (): void => end(false);
      const giveUp = afterAwake(timeoutMs, fail);
      const forget = onAbort(signal, fail);
      this.#changed = () => {
        if (isSo()) end(true);
      };
    });
  }

  /** Lets everything go on, and holds nothing from here on. */
  async release(order: Release): Promise<void> {
    this.#holds = () => false;
    const held = this.#inOrder(this.#held, order);
    this.#held = [];
    for (const { go } of held) {
      go();
      if (order === "staggered") await turn();
    }
  }

  /** By the runs and not by their arrival, so that the same seed gives the same order. */
  #inOrder(held: readonly Held[], order: Release): readonly Held[] {
    const sorted = held.toSorted((one, other) => one.run.number - other.run.number);
    if (order === "reversed") return sorted.reverse();
    return order === "together" ? sorted : this.#random.shuffled(sorted);
  }
}
