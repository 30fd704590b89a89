import { extname } from "node:path";
import { AgnoChatError } from "../../errors.js";
import type { Context } from "../context.js";
import { FORMATS, type HistoryDocument, historyDocument } from "../history-document.js";
import { namedSession } from "../named-session.js";
import { withMemory } from "../open.js";
import { count } from "../words.js";
import { writePrivateFile } from "../write-file.js";

/** `export`: one user's history, on stdout or in a file. */
export async function exportHistory(
  context: Context,
  _args: string[],
  options: Record<string, unknown>,
): Promise<void> {
  const format = formatOf(
    options.format ?? extensionOf(options.output),
    context.options.json && options.output === undefined,
  );
  const { user } = context.settings.values;
  const session = namedSession(context.settings);
  const history = await withMemory(context, (memory) => historyDocument(memory, user, session));
  if (typeof options.output === "string")
    toFile(context, options.output, { history, format, options });
  else if (context.options.json && format === "json")
    context.output.document({ ok: true, ...history });
  else context.output.writeSafe(textOf(history, format));
}

/** What the name of the file says, if that is a format. */
function extensionOf(file: unknown): string | undefined {
  const extension = typeof file === "string" ? extname(file).slice(1) : "";
  return FORMATS.has(extension) ? extension : undefined;
}

function formatOf(named: unknown, json: boolean): string {
  if (named === undefined) return "json";
  if (typeof named !== "string" || !FORMATS.has(named))
    throw new AgnoChatError("USAGE", `There is no format ${JSON.stringify(named)}.`, {
      hint: `Known: ${[...FORMATS.keys()].join(", ")}.`,
    });
  if (json && named !== "json")
    throw new AgnoChatError("USAGE", `--json and --format ${named} exclude each other.`);
  return named;
}

const textOf = (history: HistoryDocument, format: string): string =>
  FORMATS.get(format)?.(history) ?? "";

interface FileTask {
  readonly history: HistoryDocument;
  readonly format: string;
  readonly options: Record<string, unknown>;
}

function toFile(
  { options: common, output }: Context,
  file: string,
  { history, format, options }: FileTask,
): void {
  writePrivateFile(file, textOf(history, format), {
    overwrite: options.force === true,
    hint: "Name another one, or overwrite it with --force.",
  });
  const { user, session, messages } = history;
  if (common.json) output.document({ ok: true, user, session, messages: messages.length, file });
  else output.note(`Wrote ${count(messages.length, "message")} of ${user} to ${file}.`);
}
