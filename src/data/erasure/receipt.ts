import type { OtherRows } from "../../memory/store-report.js";

/** What a look at everything that a delete should have emptied has shown. */
export interface Receipt {
  /** Whether nothing is left, as far as it was looked for. */
  readonly isProven: boolean;
  /** What is gone besides messages and sessions. */
  readonly deleted: OtherRows;
  /** Rows of the user that belong to no session. */
  readonly strays: number;
  readonly lookedFor: LookedFor;
  readonly places: readonly SearchedPlace[];
  /**
   * How many samples were found that are also in what the store keeps, of this or any user, so that
   * nobody can tell whether there is one more.
   */
  readonly undecided: number;
  /** False if another process kept the clean-up from ending. */
  readonly isCleanedUp: boolean;
  /** Whether another process had the memory file open, and may write to it. */
  readonly isInUse: boolean;
  /** The tables of a database, which keeps deleted rows until it is vacuumed. Empty for a file. */
  readonly tables: readonly string[];
}

export interface LookedFor {
  readonly texts: number;
  /** Those of the texts that are too short, or too plain, to be looked for. */
  readonly tooShort: number;
  readonly samples: number;
  readonly sampleBytes: number;
  /** If there were too many samples, only one in so many was looked for. */
  readonly oneIn: number;
}

export interface SearchedPlace {
  readonly what: string;
  readonly path: string;
  /** How many were searched; null if there is no such file. */
  readonly bytes: number | null;
  /** How many samples are left in it. */
  readonly leftovers: number;
  /** Where the first ones are, in bytes from its beginning. */
  readonly offsets: readonly number[];
  /** How many samples in it are also in what the store keeps, so that they cannot be judged. */
  readonly undecided: number;
  /** Why it could not be searched. */
  readonly problem?: string;
}
