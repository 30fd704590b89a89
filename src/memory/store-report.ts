/** Something that `checkStore` looked at. */
export interface Finding {
  /** What it is about, in a word or two. */
  readonly about: string;
  /** `unsafe`: users are not kept apart, or data may be lost. `warning`: could be safer. */
  readonly status: "ok" | "warning" | "unsafe";
  readonly text: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** What keeps users apart in a store, and what weakens it. */
export interface StoreReport {
  /** The store without user and password. */
  readonly store: string;
  readonly findings: readonly Finding[];
}
