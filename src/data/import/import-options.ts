import type { Limits } from "../../memory/memory.js";
import type { LeftOut } from "./conversation.js";
import type { ImportFormat } from "./formats.js";

export interface ImportOptions {
  /** Default: told by the content. */
  readonly format?: ImportFormat | undefined;
  /** The session of messages in OpenAI's format. Default: a name of their own. */
  readonly sessionId?: string | undefined;
  /** Counts only. Default: false. */
  readonly dryRun?: boolean | undefined;
  /** What a user may keep who has no limits of their own. Default: everything. */
  readonly limits?: Limits | undefined;
  /** Stops the import. */
  readonly signal?: AbortSignal | undefined;
  /** Takes the counts as they grow. */
  readonly onProgress?: ((sofar: Imported) => void) | undefined;
}

/** What came of an import. Conversations are counted once, by what became of them. */
export interface Imported {
  readonly format: ImportFormat;
  /** New sessions. */
  readonly imported: number;
  /** Sessions from an earlier import, which have grown. */
  readonly extended: number;
  /** Sessions that were there already, and are as they were. */
  readonly present: number;
  readonly messages: number;
  /** What was left out: how many of what. */
  readonly leftOut: Readonly<Partial<Record<LeftOut, number>>>;
  /** The user that the file names, if that is another one. */
  readonly otherUser?: string | undefined;
}
