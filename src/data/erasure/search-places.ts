import { systemReason } from "../../system-errors.js";
import type { Place } from "./places.js";
import type { ProofOptions } from "./proof.js";
import type { SearchedPlace } from "./receipt.js";
import type { Samples } from "./samples.js";
import { type Searched, searchFile } from "./search-files.js";

/** How many places in a file are named. */
const MOST_OFFSETS = 5;

/** What was found in each of some places. */
export class SearchedPlaces {
  readonly #searched: (readonly [Place, Searched | Unsearched])[] = [];

  /** @throws the signal's reason */
  static async of(
    places: readonly Place[],
    samples: Samples,
    { signal, onProgress }: Pick<ProofOptions, "signal" | "onProgress">,
  ): Promise<SearchedPlaces> {
    const done = new SearchedPlaces();
    let bytes = 0;
    const onBytes = (more: number): void => {
      bytes += more;
      onProgress(bytes);
    };
    for (const place of places)
      done.#searched.push([place, await attempt(place, samples, { signal, onBytes })]);
    return done;
  }

  /** The numbers of all samples that were found, each once. */
  get found(): readonly number[] {
    return [...new Set(this.#searched.flatMap(([, { found }]) => [...found.keys()]))];
  }

  /** @param except Samples that do not count. */
  results(except: ReadonlySet<number> = new Set()): readonly SearchedPlace[] {
    return this.#searched.flatMap(([place, searched]) => resultOf(place, searched, except));
  }
}

/** Whether all were read and none has anything that was looked for. */
export const areClean = (results: readonly SearchedPlace[]): boolean =>
  results.every(({ leftovers, problem }) => leftovers === 0 && problem === undefined);

/** A file that is not there, or cannot be read. */
interface Unsearched {
  readonly problem: string | undefined;
  readonly found: ReadonlyMap<number, number>;
}

async function attempt(
  { path }: Place,
  samples: Samples,
  options: Parameters<typeof searchFile>[2],
): Promise<Searched | Unsearched> {
  try {
    return await searchFile(path, samples, options);
  } catch (error) {
    options.signal.throwIfAborted();
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const problem = isMissing ? undefined : (systemReason(error) ?? "it cannot be read");
    return { problem, found: new Map() };
  }
}

function resultOf(
  { what, path, isExpected = false }: Place,
  searched: Searched | Unsearched,
  living: ReadonlySet<number>,
): readonly SearchedPlace[] {
  if ("problem" in searched) {
    const { problem } = searched;
    const isMissing = problem === undefined;
    if (isMissing && !isExpected) return [];
    const nothing = { what, path, bytes: null, leftovers: 0, offsets: [], undecided: 0 };
    return [isMissing ? nothing : { ...nothing, problem }];
  }
  const { bytes, found } = searched;
  const offsets = [...found].filter(([sample]) => !living.has(sample)).map(([, offset]) => offset);
  const first = offsets.toSorted((one, other) => one - other).slice(0, MOST_OFFSETS);
  const undecided = found.size - offsets.length;
  return [{ what, path, bytes, leftovers: offsets.length, offsets: first, undecided }];
}
