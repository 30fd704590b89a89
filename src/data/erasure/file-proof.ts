import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { SqliteMemory } from "../../memory/sqlite.js";
import {
  isCleanedUp,
  leftIn,
  type OwnRows,
  type OwnScope,
  readLiving,
  readOwn,
} from "../../memory/stores/sqlite/erasure.js";
import { pathOf } from "../../memory/stores/sqlite/path.js";
import { systemReason } from "../../system-errors.js";
import { collectGarbage } from "./collect-garbage.js";
import { type Place, placesOfFile, temporaryPlaces } from "./places.js";
import type { Receipt, SearchedPlace } from "./receipt.js";
import { SAMPLE_BYTES, Samples } from "./samples.js";
import { type Searched, searchFile } from "./search-files.js";

export interface ProofScope extends OwnScope {
  /** What the user has typed and the delete forgets. */
  readonly typed: readonly string[];
}

export interface ProofOptions {
  /** Files to search besides those of the store. */
  readonly places: readonly Place[];
  /** Folders in which temporary files may be, besides that of the store. */
  readonly folders: readonly string[];
  readonly signal: AbortSignal;
  /** Called now and then with how many bytes were searched. */
  readonly onProgress: (bytes: number) => void;
}

/** How often a clean-up is tried that another process keeps from ending. */
const CLEAN_UPS = 5;

/** How many turns of the event loop a collected statement may take. */
const TURNS = 20;

/** How many places in a file are named. */
const MOST_OFFSETS = 5;

/** Proves that a delete leaves nothing of a user's texts in a memory file and what is around it. */
export class FileProof {
  readonly #path: string;
  readonly #scope: ProofScope;
  readonly #samples = new Samples();
  #rows: OwnRows | undefined;

  private constructor(location: string, scope: ProofScope) {
    this.#path = pathOf(location);
    this.#scope = scope;
  }

  /** Reads what is about to be deleted. */
  static async before(location: string, scope: ProofScope): Promise<FileProof> {
    const proof = new FileProof(location, scope);
    proof.#rows = await readOwn(proof.#path, scope, proof.#samples);
    for (const line of scope.typed) proof.#samples.addText(line);
    return proof;
  }

  /** Searches what is left of it. Nothing of this process may have the file open. */
  async after({ places, folders, signal, onProgress }: ProofOptions): Promise<Receipt> {
    const isClean = await this.#cleanUp();
    const isInUse = await this.#isInUse();
    const all = [
      ...placesOfFile(this.#path),
      ...places,
      ...(await temporaryPlaces([dirname(this.#path), ...folders])),
    ];
    let bytes = 0;
    const onBytes = (more: number): void => {
      bytes += more;
      onProgress(bytes);
    };
    const searched: [Place, Searched | Unsearched][] = [];
    for (const place of all)
      searched.push([place, await attempt(place, this.#samples, { signal, onBytes })]);
    const living = await this.#livingOf(searched.flatMap(([, { found }]) => [...found.keys()]));
    const results = searched.flatMap(([place, each]) => resultOf(place, each, living));
    const left = await leftIn(this.#path, this.#scope.userId, this.#rows as OwnRows);
    return {
      isProven:
        isClean &&
        left.strays === 0 &&
        results.every(({ leftovers, problem }) => leftovers === 0 && problem === undefined),
      deleted: this.#deleted(left.rows),
      strays: left.strays,
      lookedFor: this.#lookedFor(),
      places: results,
      undecided: living.size,
      isCleanedUp: isClean,
      isInUse,
    };
  }

  async #cleanUp(): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      if (await isCleanedUp(this.#path)) return true;
      if (attempt === CLEAN_UPS) return false;
      // Whoever closes the file finishes the clean-up.
      const memory = new SqliteMemory(this.#path);
      await memory.size(this.#scope.userId);
      await memory.close();
    }
  }

  /** The last process to close a memory file removes its log. */
  async #isInUse(): Promise<boolean> {
    // The driver closes the file only when the statements of this process are collected.
    collectGarbage();
    for (let turn = 0; turn < TURNS && existsSync(`${this.#path}-wal`); turn += 1) await nextTurn();
    return existsSync(`${this.#path}-wal`);
  }

  /** Those of the samples that are in what the store still keeps. */
  async #livingOf(found: readonly number[]): Promise<ReadonlySet<number>> {
    const numbers = [...new Set(found)];
    const living = new Set<number>();
    if (numbers.length === 0) return living;
    const some = this.#samples.only(numbers);
    await readLiving(this.#path, (bytes) => {
      some.findIn(bytes, (sample) => living.add(numbers[sample] as number));
      return living.size < numbers.length;
    });
    return living;
  }

  #deleted(left: OwnRows): Receipt["deleted"] {
    const had = this.#rows as OwnRows;
    const gone = (name: keyof Receipt["deleted"]) => Math.max(0, had[name] - left[name]);
    return {
      stateValues: gone("stateValues"),
      stateChanges: gone("stateChanges"),
      attachments: gone("attachments"),
      searchBlocks: gone("searchBlocks"),
    };
  }

  #lookedFor(): Receipt["lookedFor"] {
    const { texts, count, oneIn } = this.#samples;
    return {
      texts: texts.added,
      tooShort: texts.skipped,
      samples: count,
      sampleBytes: SAMPLE_BYTES,
      oneIn,
    };
  }
}

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
    const nothing = { what, path, bytes: null, leftovers: 0, offsets: [] };
    return [isMissing ? nothing : { ...nothing, problem }];
  }
  const { bytes, found } = searched;
  const offsets = [...found].filter(([sample]) => !living.has(sample)).map(([, offset]) => offset);
  const first = offsets.toSorted((one, other) => one - other).slice(0, MOST_OFFSETS);
  return [{ what, path, bytes, leftovers: offsets.length, offsets: first }];
}
