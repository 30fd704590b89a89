import { existsSync } from "node:fs";
import { lstat, realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { SqliteMemory } from "../../memory/sqlite.js";
import {
  isCleanedUp,
  leftIn,
  type OwnRows,
  readLiving,
  readOwn,
} from "../../memory/stores/sqlite/erasure.js";
import { pathOf } from "../../memory/stores/sqlite/path.js";
import { collectGarbage } from "./collect-garbage.js";
import { placesOfFile, temporaryPlaces } from "./places.js";
import { goneOf, lookedFor, type Proof, type ProofOptions, type ProofScope } from "./proof.js";
import type { Receipt } from "./receipt.js";
import { Samples } from "./samples.js";
import { areClean, SearchedPlaces } from "./search-places.js";

/** How often a clean-up is tried that another process keeps from ending. */
const CLEAN_UPS = 5;

/** How many turns of the event loop a collected statement may take. */
const TURNS = 20;

/** Proves that a delete leaves nothing of a user's texts in a memory file and what is around it. */
export class FileProof implements Proof {
  readonly #path: string;
  readonly #scope: ProofScope;
  readonly #samples = new Samples();
  #rows: OwnRows | undefined;

  private constructor(path: string, scope: ProofScope) {
    this.#path = path;
    this.#scope = scope;
  }

  /** Reads what is about to be deleted. */
  static async before(location: string, scope: ProofScope): Promise<FileProof> {
    const proof = new FileProof(await targetOf(pathOf(location)), scope);
    proof.#rows = await readOwn(proof.#path, scope, proof.#samples);
    for (const line of scope.typed) proof.#samples.addText(line);
    return proof;
  }

  async after(options: ProofOptions): Promise<Receipt> {
    const isClean = await this.#cleanUp();
    const isInUse = await this.#isInUse();
    const all = [
      ...placesOfFile(this.#path),
      ...options.places,
      ...(await temporaryPlaces([dirname(this.#path), ...options.folders])),
    ];
    const searched = await SearchedPlaces.of(all, this.#samples, options);
    const living = await this.#livingOf(searched.found);
    const results = searched.results(living);
    const left = await leftIn(this.#path, this.#scope.userId, this.#rows as OwnRows);
    return {
      isProven: isClean && left.strays === 0 && areClean(results),
      deleted: goneOf(this.#rows as OwnRows, left.rows),
      strays: left.strays,
      lookedFor: lookedFor(this.#samples),
      places: results,
      undecided: living.size,
      isCleanedUp: isClean,
      isInUse,
      tables: [],
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
  async #livingOf(numbers: readonly number[]): Promise<ReadonlySet<number>> {
    const living = new Set<number>();
    if (numbers.length === 0) return living;
    const some = this.#samples.only(numbers);
    await readLiving(this.#path, (bytes) => {
      some.findIn(bytes, (sample) => living.add(numbers[sample] as number));
      return living.size < numbers.length;
    });
    return living;
  }
}

/** SQLite follows a symbolic link, and puts its files beside the file that it leads to. */
const targetOf = async (path: string): Promise<string> =>
  (await lstat(path)).isSymbolicLink() ? realpath(path) : path;
