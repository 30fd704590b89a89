import { extname } from "node:path";
import {
  EXPORT_FORMATS,
  type ExportFormat,
  isExportFormat,
  UserExport,
} from "../../data/user-export.js";
import { AgnoChatError, asAgnoChatError, ERROR_TABLE } from "../../errors.js";
import type { Context } from "../context.js";
import { refuseNothingToExport } from "../export-file.js";
import { namedSession } from "../named-session.js";
import { withMemory } from "../open.js";
import { Output } from "../output.js";
import { count } from "../words.js";
import { writePrivateFile } from "../write-file.js";

export interface ExportOptions {
  readonly format?: string;
  readonly output?: string;
  readonly force?: boolean;
}

/** `export`: one user's history, on stdout (also as the file `-`) or in a file. */
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
  const who = { user, session: sessionId ?? null };
  const fields = context.options.json && !toFile ? { ok: true, ...who } : who;
  return withMemory(context, async (memory) => {
    const { signal } = context;
    const text = new UserExport(memory, user, { sessionId, format, fields, signal });
    if (!toFile) return toStdout(context, text);
    refuseNothingToExport(await memory.sessions(user), { userId: user, sessionId });
    await writePrivateFile(file, text, {
      overwrite: force,
      hint: "Name another one, or overwrite it with --force.",
    });
    const { messages } = text;
    if (context.options.json) context.output.document({ ok: true, ...who, messages, file });
    else context.output.note(`Wrote ${count(messages, "message")} of ${user} to ${file}.`);
    return 0;
  });
}

/** What the name of the file says, if that is a format. */
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
    throw new AgnoChatError("USAGE", `--json and --format ${named} exclude each other.`);
  return named;
}

/** A document that is half out stays the only one there: its failure is told on stderr. */
async function toStdout(context: Context, text: UserExport): Promise<number> {
  const { io, options, output, signal } = context;
  try {
    await output.pieces(text, signal);
    return 0;
  } catch (thrown) {
    const isHalfOut = options.json && text.messages > 0;
    if (!isHalfOut) throw thrown;
    const error = asAgnoChatError(thrown);
    new Output(io, { ...options, json: false }).failure(error);
    return ERROR_TABLE[error.code].exit;
  }
}
