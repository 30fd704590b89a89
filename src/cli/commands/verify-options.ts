import type { RecordedRequest } from "../../verify/recorder.js";

export interface VerifyOptions {
  readonly users?: string;
  readonly runs?: string;
  readonly seed?: string;
  readonly junit?: string;
  readonly markdown?: string;
  readonly badge?: string;
  readonly record?: string;
  readonly url?: string;
  readonly as?: string;
  readonly upstream?: string;
  readonly header?: string[];
  readonly tokens?: boolean;
  readonly body?: string;
  readonly reply?: string;
  readonly clear?: string;
  readonly live?: boolean;
  readonly maxCalls?: string;
}

/** What is checked how much, of the options that both kinds of target have. */
export interface VerifyCounts {
  readonly users: number | undefined;
  readonly runs: number | undefined;
  readonly seed: number | undefined;
  readonly maxCalls: number | undefined;
  readonly record: ((request: RecordedRequest) => void) | undefined;
}
