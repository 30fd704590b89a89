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

/** The version of a schema before and after it was migrated. */
export interface Migrated {
  readonly from: number;
  readonly to: number;
}

export const ok = (about: string, text: string): Finding => ({ about, status: "ok", text });

interface Advice {
  readonly hint: string;
}

export const warning = (about: string, text: string, { hint }: Advice): Finding => ({
  about,
  status: "warning",
  text,
  hint,
});

export const unsafe = (about: string, text: string, { hint }: Advice): Finding => ({
  about,
  status: "unsafe",
  text,
  hint,
});

/** How many rows of a user there are besides messages and sessions. */
export interface OtherRows {
  readonly stateValues: number;
  readonly stateChanges: number;
  readonly attachments: number;
  readonly searchBlocks: number;
}
