import type { SessionId, UserId } from "../../ids.js";
import type { OtherRows } from "../../memory/store-report.js";
import type { Place } from "./places.js";
import type { Receipt } from "./receipt.js";
import { SAMPLE_BYTES, type Samples } from "./samples.js";

/** What is about to be deleted. */
export interface ProofScope {
  readonly userId: UserId;
  /** `undefined` means all sessions of the user. */
  readonly sessionId: SessionId | undefined;
  /** Only messages from before this time, in milliseconds since 1970. */
  readonly before: number;
  /** What the user has typed, and the delete forgets. */
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

/** Knows what a user had before a delete. */
export interface Proof {
  /** Looks for what is left of it. Nothing of this process may have the store open. */
  after(options: ProofOptions): Promise<Receipt>;
}

export const lookedFor = ({ texts, count, oneIn }: Samples): Receipt["lookedFor"] => ({
  texts: texts.added,
  tooShort: texts.skipped,
  samples: count,
  sampleBytes: SAMPLE_BYTES,
  oneIn,
});

/** What there was and is no more. */
export function goneOf(had: OtherRows, left: OtherRows): OtherRows {
  const gone = (name: keyof OtherRows): number => Math.max(0, had[name] - left[name]);
  return {
    stateValues: gone("stateValues"),
    stateChanges: gone("stateChanges"),
    attachments: gone("attachments"),
    searchBlocks: gone("searchBlocks"),
  };
}
