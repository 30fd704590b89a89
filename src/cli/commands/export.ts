import { extname } from "node:path";
import {
  EXPORT_FORMATS,
  type ExportFormat,
  isExportFormat,
  UserExport,
} from "../../data/user-export.js";
import { AgnoChatError, asAgnoChatError, ERROR_TABLE } from "../../errors.js";
import type { Context } from "../command-context.js";
import { refuseNothingToExport } from "../export-file.js";
import { withMemory } from "../open-agent.js";
import { Output } from "../output.js";
import { namedSession } from "../settings/settings.js";
import { count } from "../words.js";
import { writePrivateFile } from "../write-file.js";

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
    if (!toFile) return toStdout(context, text);
    refuseNothingToExport(await memory.sessions(user), { userId: user, sessionId });
    await writePrivateFile(file, text, {
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

/** A failure after part of a JSON document is out goes to stderr, not into a second document. */
async function toStdout(context: Context, text: UserExport): Promise<number> {
  const { io, options, output, signal } = context;
  try {
    await output.pieces(text, signal);
    return 0;
  } catch (thrown) {
    const hasBegun = options.json && text.messages > 0;
    if (!hasBegun) throw thrown;
    const error = asAgnoChatError(thrown);
    new Output(io, { ...options, json: false }).failure(error);
    return ERROR_TABLE[error.code].exit;
  }
}
