import { EXPORT_FORMATS, type ExportFormat, isExportFormat } from "../../data/export-options.js";
import { UserExport } from "../../data/user-export.js";
import { AgnoChatError } from "../../errors.js";
import type { Context } from "../command-context.js";
import { parseDuration } from "../duration.js";
import { formatIn, refuseNothingToExport, refusingEmptyPart } from "../export-file.js";
import { withMemory } from "../open-agent.js";
import { Progress } from "../progress.js";
import { namedSession } from "../settings/settings.js";
import { count } from "../words.js";
import { writePrivateFile } from "../write-file.js";
import { writePieces } from "../write-pieces.js";

export interface ExportOptions {
  readonly format?: string;
  readonly since?: string;
  readonly last?: string;
  readonly output?: string;
  readonly force?: boolean;
}

/** `export`: writes one user's history to stdout (also with the file name `-`) or to a file. */
export async function exportHistory(
  context: Context,
  _args: string[],
  { format: named, since, last, output, force = false }: ExportOptions,
): Promise<number> {
  const file = output === "-" ? undefined : output;
  const toFile = file !== undefined;
  const format = formatOf(
    named ?? (toFile ? formatIn(file) : undefined),
    context.options.json && !toFile,
  );
  const part = {
    since: since === undefined ? undefined : Date.now() - parseDuration(since, "--since"),
    last: last === undefined ? undefined : countIn(last),
  };
  const { user } = context.settings.values;
  const sessionId = namedSession(context.settings);
  const scope = { user, session: sessionId ?? null };
  const fields = context.options.json && !toFile ? { ok: true, ...scope } : scope;
  return withMemory(context, async (memory) => {
    const { signal } = context;
    const text = new UserExport(memory, user, { sessionId, ...part, format, fields, signal });
    const total = await memory.size(user, { sessionId });
    const progress = (): string => `${text.messages} of ${count(total, "message")}`;
    // Programs that read stdout get an empty history; people and files get a message instead.
    if (toFile || FOR_PEOPLE.includes(format))
      await refuseNothingToExport(memory, { userId: user, sessionId });
    if (!toFile) return writePieces(context, text, progress);
    const whole = since === undefined ? text : refusingEmptyPart(text, { userId: user, since });
    await writePrivateFile(file, new Progress(context).along(whole, progress), {
      overwrite: force,
      hint: "Choose another name, or overwrite it with --force.",
    });
    const { messages } = text;
    if (context.options.json) context.output.document({ ok: true, ...scope, messages, file });
    else context.output.note(`Wrote ${count(messages, "message")} of ${user} to ${file}.`);
    return 0;
  });
}

const FOR_PEOPLE: readonly ExportFormat[] = ["md", "html"];

function countIn(last: string): number {
  if (/^[1-9]\d{0,8}$/.test(last)) return Number(last);
  throw new AgnoChatError("USAGE", `--last ${JSON.stringify(last)} is not a number of messages.`, {
    hint: "Use for example 20.",
  });
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
