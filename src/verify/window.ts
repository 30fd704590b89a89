import type { Message } from "../messages.js";
import type { Ledger, PlantedRun } from "./ledger.js";

/** How much of its session's history a request shows. */
export interface Shown {
  /** Earlier runs that it shows whole. */
  readonly runs: number;
  readonly of: number;
  /** Whether these are the latest ones, and nothing of the others is shown. */
  readonly isLatest: boolean;
}

/** @param earlier The runs of the session before the one that asks, oldest first. */
export function shownIn(
  messages: readonly Message[],
  earlier: readonly PlantedRun[],
  { canaries }: Pick<Ledger, "canaries">,
): Shown {
  const seen = new Set(messages.flatMap(({ content }) => canaries.in(content)));
  const counts = earlier
    .filter(({ cleared, outcome }) => !cleared && outcome !== "dropped")
    .map((run) => {
      const own = run.messages.flatMap(({ content }) => canaries.in(content));
      const shown = own.filter((canary) => seen.has(canary)).length;
      return { run, shown, of: own.length };
    })
    // Nobody can tell whether such a run is there.
    .filter(({ run, shown, of }) => of > 0 && (run.outcome !== "uncertain" || shown > 0));
  const first = counts.findIndex(({ shown }) => shown > 0);
  const latest = first < 0 ? [] : counts.slice(first);
  return {
    runs: counts.filter(({ shown, of }) => shown === of).length,
    of: counts.length,
    isLatest: latest.every(({ shown, of }) => shown === of),
  };
}

/**
 * How many earlier runs an app sends, if it always sends the same number and these are the latest;
 * undefined if it sends all, or nothing, or anything else.
 */
export function windowOf(requests: readonly Shown[]): number | undefined {
  const cut = requests.filter(({ runs, of }) => runs < of);
  const length = cut[0]?.runs ?? 0;
  const isWindow =
    length > 0 &&
    cut.every(({ runs, isLatest }) => isLatest && runs === length) &&
    requests.every(({ runs }) => runs <= length);
  return isWindow ? length : undefined;
}
