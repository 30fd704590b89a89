import { setImmediate as turn } from "node:timers/promises";
import { onAbort } from "../abort.js";
import type { PlantedRun } from "./ledger.js";
import type { Random } from "./random.js";

/** How held calls go on: all in one tick, or one tick after the other. */
export const RELEASES = ["together", "reversed", "shuffled", "staggered"] as const;
export type Release = (typeof RELEASES)[number];

interface Held {
  readonly run: PlantedRun;
  readonly go: () => void;
}

/** Holds calls of the model until all that are expected are under way, so that they overlap. */
export class Gate {
  readonly #random: Random;
  #holds: (run: PlantedRun) => boolean = () => false;
  #held: Held[] = [];
  #arrived: (() => void) | undefined;

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
    if (!this.#holds(run)) return;
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const forget = onAbort(signal, () => {
        this.#held = this.#held.filter((held) => held.go !== go);
        reject(signal.reason);
      });
      const go = (): void => {
        forget();
        resolve();
      };
      this.#held.push({ run, go });
      this.#arrived?.();
    });
  }

  /** Waits until so many calls are held. False if they are not within `timeoutMs`, or on an abort. */
  async full(count: number, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    if (this.#held.length >= count) return true;
    if (signal.aborted) return false;
    return new Promise((resolve) => {
      const end = (isFull: boolean): void => {
        clearTimeout(timer);
        forget();
        this.#arrived = undefined;
        resolve(isFull);
      };
      const fail = (): void => end(false);
      const timer = setTimeout(fail, timeoutMs);
      const forget = onAbort(signal, fail);
      this.#arrived = () => {
        if (this.#held.length >= count) end(true);
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

  #inOrder(held: readonly Held[], order: Release): readonly Held[] {
    if (order === "reversed") return [...held].reverse();
    return order === "together" ? held : this.#random.shuffled(held);
  }
}
