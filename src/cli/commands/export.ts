import { extname } from "node:path";
import {
  EXPORT_FORMATS,
  type ExportFormat,
  isExportFormat,
  UserExport,
} from "../../data/user-export.js";
import { AgnoChatError } from "../../errors.js";
import { sizeOf } from "../../memory/history-size.js";
import type { Context } from "../command-context.js";
import { refuseNothingToExport } from "../export-file.js";
import { withMemory } from "../open-agent.js";
import { Progress } from "../progress.js";
import { namedSession } from "../settings/settings.js";
import { count } from "../words.js";
import { writePrivateFile } from "../write-file.js";
import { writePieces } from "../write-pieces.js";

export interface ExportOptions {
  readonly format?: string;
  readonly output?: string;
  readonly force?: boolean;
}

/** `export`: writes one user's history to stdout (also with the file name `-`) or to a file. */
export async function exportHistory(
  context: Context,
  _args: string[],
  { format: named, output, force = false }: ExportOptions,
): Promise<number> {
  const file = output === "-" ? undefined : output;
  const toFile = file !== undefined;
  const format = formatOf(
    named ?? (toFile ? formatIn(file) : undefined),
    context.options.json && !toFile,
  );
  const { user } = context.settings.values;
  const sessionId = namedSession(context.settings);
  const scope = { user, session: sessionId ?? null };
  const fields = context.options.json && !toFile ? { ok: true, ...scope } : scope;
  return withMemory(context, async (memory) => {
    const { signal } = context;
    const text = new UserExport(memory, user, { sessionId, format, fields, signal });
    const sessions = await memory.sessions(user);
    const { messages: total } = sizeOf(sessions, sessionId);
    const progress = (): string => `${text.messages} of ${count(total, "message")}`;
    if (!toFile) return writePieces(context, text, progress);
    refuseNothingToExport(sessions, { userId: user, sessionId });
    await writePrivateFile(file, new Progress(context).along(text, progress), {
      overwrite: force,
      hint: "Choose another name, or overwrite it with --force.",
    });
    const { messages } = text;
    if (context.options.json) context.output.document({ ok: true, ...scope, messages, file });
    else context.output.note(`Wrote ${count(messages, "message")} of ${user} to ${file}.`);
    return 0;
  });
}

/** The format in the file's extension, if it is one. */
function formatIn(file: string): ExportFormat | undefined {
  const extension = extname(file).slice(1);
  return isExportFormat(extension) ? extension : undefined;
}

function formatOf(named: string | undefined, json: boolean): ExportFormat {
  if (named === undefined) return "json";
  if (!isExportFormat(named))
    throw new AgnoChatError("USAGE", `There is no format ${JSON.stringify(named)}.`, {
      hint: `Known: ${EXPORT_FORMATS.join(", ")}.`,
    });
  if (json && named !== "json")
    throw new AgnoChatError("USAGE", `--json does not go with --format ${named}.`);
  return named;
}
