import { AgnoChatError } from "../errors.js";
import type { SessionOptions } from "../memory/memory.js";

/**
 * One JSON document, one JSON message per line, readable Markdown, a page of HTML, or the messages
 * as OpenAI's chat.completions take them.
 */
export const EXPORT_FORMATS = ["json", "jsonl", "md", "html", "openai"] as const;

export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const isExportFormat = (name: unknown): name is ExportFormat =>
  EXPORT_FORMATS.some((format) => format === name);

/** The latest part of a history, always of whole runs. */
export interface LatestPart {
  /** Runs that began at or after this time, in milliseconds since 1970. Default: all. */
  readonly since?: number | undefined;
  /**
   * At most this many messages, as whole runs: a run that would be cut is left out, but the latest
   * run is always there. A whole number from 1. Default: all.
   */
  readonly last?: number | undefined;
}

export interface ExportOptions extends SessionOptions, LatestPart {
  /** Default: `json`. */
  readonly format?: ExportFormat | undefined;
  /** First fields of the JSON document. Default: `{ user, session }`; null means all sessions. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
  /** Makes the export throw the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** @throws {AgnoChatError} `USAGE` */
export function checkPart({ since, last }: LatestPart): void {
  if (since !== undefined && !Number.isFinite(since))
    throw new AgnoChatError("USAGE", `since must be a time in milliseconds, not ${since}.`);
  if (last !== undefined && !(Number.isSafeInteger(last) && last >= 1))
    throw new AgnoChatError("USAGE", `last must be a whole number from 1, not ${last}.`);
}
