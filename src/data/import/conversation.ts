import type { SessionState } from "../../memory/memory.js";
import type { Contents, NewMessage } from "../../messages.js";
import type { ImportRecord } from "./records.js";

/** A run on its way in. The same run of the same file has the same id every time. */
export interface ImportedRun {
  readonly runId: string;
  readonly messages: readonly NewMessage[];
  /** Contents of their attachments. */
  readonly contents?: Contents;
}

/** Consecutive runs of one conversation. */
export interface Batch {
  /** The session it should become. */
  readonly name: string;
  /** What its session ends with, even if the conversation was renamed since it was imported. */
  readonly mark?: string;
  readonly runs: readonly ImportedRun[];
  /** More of the conversation may come. */
  readonly isPart?: boolean;
  /** Replaces the state of the session, if that is new. */
  readonly state?: SessionState;
}

export interface ReadOptions {
  readonly tally: ImportTally;
  /** The session that a single conversation without a name should become. */
  readonly sessionId: string | undefined;
}

/** Reads one format: a conversation is one batch, or several one after the other. */
export type ImportReader = (
  records: AsyncIterable<ImportRecord>,
  options: ReadOptions,
) => AsyncGenerator<Batch, void, undefined>;

/** What is left out, and why, as it is shown. */
export type LeftOut =
  | "conversation too large"
  | "conversation without messages"
  | "entry that is no conversation"
  | "message that is not valid"
  | "message on a branch that is not shown"
  | "hidden message"
  | "system message"
  | "thought"
  | "tool call"
  | "tool result"
  | "part of a kind that is not known"
  | "attached file, named in the text"
  | "run that was changed or deleted here";

/** Counts what is left out. */
export class ImportTally {
  readonly leftOut = new Map<LeftOut, number>();
  /** The user that the file names, which is not believed. */
  otherUser: string | undefined;

  leaveOut(what: LeftOut, count = 1): void {
    if (count > 0) this.leftOut.set(what, (this.leftOut.get(what) ?? 0) + count);
  }
}
