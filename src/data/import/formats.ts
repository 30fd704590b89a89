import { AgnoChatError } from "../../errors.js";
import { asRecord } from "../../json.js";
import { readChatGpt } from "./chatgpt.js";
import { readClaude } from "./claude.js";
import type { ImportReader } from "./conversation.js";
import { readOpenAi } from "./openai.js";
import { readOwnExport } from "./own-export.js";
import type { ImportRecord } from "./records.js";

export const IMPORT_FORMATS = ["agno-chat", "chatgpt", "claude", "openai"] as const;

export type ImportFormat = (typeof IMPORT_FORMATS)[number];

export const isImportFormat = (name: unknown): name is ImportFormat =>
  IMPORT_FORMATS.some((format) => format === name);

export const READERS: Readonly<Record<ImportFormat, ImportReader>> = {
  "agno-chat": readOwnExport,
  chatgpt: readChatGpt,
  claude: readClaude,
  openai: readOpenAi,
};

/** The format that a record belongs to; undefined if that cannot be told. */
function formatOf({ kind, value }: ImportRecord): ImportFormat | undefined {
  const fields = asRecord(value);
  if (kind === "document") return "state" in fields ? "agno-chat" : undefined;
  if (fields.mapping !== undefined) return "chatgpt";
  if (fields.chat_messages !== undefined) return "claude";
  if (fields.role === undefined) return undefined;
  return fields.runId === undefined ? "openai" : "agno-chat";
}

/**
 * Tells the format by the first record that shows it.
 * @throws {AgnoChatError} `INVALID_INPUT` if none does
 */
export async function detectedFormat(
  records: AsyncGenerator<ImportRecord, void, undefined>,
): Promise<{ format: ImportFormat; records: AsyncGenerator<ImportRecord, void, undefined> }> {
  const first: ImportRecord[] = [];
  for (;;) {
    const next = await records.next();
    if (next.done) throw unknownFormat();
    first.push(next.value);
    const format = formatOf(next.value);
    if (format !== undefined) return { format, records: chained(first, records) };
    if (first.length >= MOST_TRIED) throw unknownFormat();
  }
}

const MOST_TRIED = 100;

async function* chained(
  first: readonly ImportRecord[],
  rest: AsyncGenerator<ImportRecord, void, undefined>,
): AsyncGenerator<ImportRecord, void, undefined> {
  yield* first;
  yield* rest;
}

const unknownFormat = (): AgnoChatError =>
  new AgnoChatError("INVALID_INPUT", "Nothing in the file looks like a conversation.", {
    hint: `Import an export of ${IMPORT_FORMATS.join(", ")}, or name its format.`,
  });
