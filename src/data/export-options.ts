import type { SessionOptions } from "../memory/memory.js";
import type { LatestPart } from "./latest-part.js";

/**
 * One JSON document, one JSON message per line, readable Markdown, a page of HTML, or the messages
 * as OpenAI's chat.completions take them.
 */
export const EXPORT_FORMATS = ["json", "jsonl", "md", "html", "openai"] as const;

export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const isExportFormat = (name: unknown): name is ExportFormat =>
  EXPORT_FORMATS.some((format) => format === name);

export interface ExportOptions extends SessionOptions, LatestPart {
  /** Default: `json`. */
  readonly format?: ExportFormat | undefined;
  /** First fields of the JSON document. Default: `{ user, session }`; null means all sessions. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
  /** Makes the export throw the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}
