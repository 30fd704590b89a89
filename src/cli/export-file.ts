import { extname } from "node:path";
import { type ExportFormat, isExportFormat } from "../data/export-options.js";
import type { UserExport } from "../data/user-export.js";
import { AgnoChatError } from "../errors.js";
import type { SessionId, UserId } from "../ids.js";
import { countsOf } from "../memory/counts.js";
import type { Memory } from "../memory/memory.js";

/**
 * The format that the end of a file's name says; undefined if the name has no such end.
 * @throws {AgnoChatError} `USAGE` for an end that is no format: a `.pdf` would hold something else
 */
export function formatIn(file: string): ExportFormat | undefined {
  const extension = extname(file).slice(1);
  if (file.endsWith(".openai.json")) return "openai";
  if (extension === "" || isExportFormat(extension)) return extension || undefined;
  throw unknownFormat(file);
}

export const unknownFormat = (file: string): AgnoChatError =>
  new AgnoChatError("USAGE", `Cannot tell the format of ${JSON.stringify(file)}.`, {
    hint: "End the name in .md, .html, .json, .jsonl or .openai.json.",
  });

interface Scope {
  readonly userId: UserId;
  /** Undefined means all of the user's sessions. */
  readonly sessionId: SessionId | undefined;
}

/**
 * An export of nothing is not written: of a misspelt user it would look like a backup.
 * @throws {AgnoChatError} `NOTHING_TO_EXPORT`
 */
export async function refuseNothingToExport(
  memory: Memory,
  { userId, sessionId }: Scope,
): Promise<void> {
  if ((await memory.size(userId, { sessionId })) > 0) return;
  // There may still be a session state.
  if ((await countsOf(memory, userId, { sessionId })).sessions > 0) return;
  const where = sessionId === undefined ? "" : ` in session ${JSON.stringify(sessionId)}`;
  throw new AgnoChatError(
    "NOTHING_TO_EXPORT",
    `Nothing is kept of ${JSON.stringify(userId)}${where}, so nothing was written.`,
    { hint: "List who has a history with: agno-chat users." },
  );
}

/**
 * The same for the latest part of a history.
 * @throws {AgnoChatError} `NOTHING_TO_EXPORT`, at the end
 */
export async function* refusingEmptyPart(
  text: UserExport,
  { userId, since }: Pick<Scope, "userId"> & { readonly since: string },
): AsyncGenerator<string, void, undefined> {
  yield* text;
  if (text.messages > 0) return;
  throw new AgnoChatError(
    "NOTHING_TO_EXPORT",
    `No run of ${JSON.stringify(userId)} began within ${since}, so nothing was written.`,
    { hint: "Go further back with --since, or leave it out." },
  );
}
