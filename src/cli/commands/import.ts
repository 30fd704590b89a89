import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { IMPORT_FORMATS, type ImportFormat, isImportFormat } from "../../data/import/formats.js";
import { importHistory } from "../../data/import/import-history.js";
import type { Imported } from "../../data/import/import-options.js";
import { AgnoChatError } from "../../errors.js";
import type { Context } from "../command-context.js";
import { openPipe } from "../named-file.js";
import { withMemory } from "../open-agent.js";
import { Progress } from "../progress.js";
import { namedSession } from "../settings/settings.js";
import { unreadableFile } from "../unreadable-file.js";
import { decodeUtf8 } from "../utf8.js";
import { count } from "../words.js";

export interface ImportOptions {
  readonly from?: string;
  readonly dryRun?: boolean;
}

/** `import`: adds the conversations of a file, or of stdin, to those of one user. */
export async function importFile(
  context: Context,
  [file = ""]: string[],
  { from, dryRun = false }: ImportOptions,
): Promise<void> {
  const format = formatOf(from);
  const { settings, signal } = context;
  const { user, maxBytesKept } = settings.values;
  const sessionId = namedSession(settings);
  if (sessionId !== undefined && format !== "openai")
    throw new AgnoChatError("USAGE", "--session goes with --from openai alone.", {
      hint: "Other files name their conversations themselves.",
    });
  const source = await sourceOf(context, file);
  const progress = new Progress(context);
  let sofar: Imported | undefined;
  await withMemory(context, async (memory) => {
    try {
      const done = await importHistory(memory, user, decodeUtf8(source.bytes, source.name), {
        ...{ format, sessionId, dryRun, limits: { bytesKept: maxBytesKept }, signal },
        onProgress(imported) {
          sofar = imported;
          progress.show(() => `${count(imported.messages, "message")}${source.share()}`);
        },
      });
      progress.hide();
      refuseNothing(done, file);
      report(context, done, { file, dryRun });
    } catch (thrown) {
      progress.hide();
      if (sofar !== undefined && !dryRun) context.output.note(keptText(sofar));
      throw thrown;
    }
  });
}

function formatOf(from: string | undefined): ImportFormat | undefined {
  if (from === undefined || isImportFormat(from)) return from;
  throw new AgnoChatError("USAGE", `There is no format ${JSON.stringify(from)} to import.`, {
    hint: `Known: ${IMPORT_FORMATS.join(", ")}.`,
  });
}

interface Source {
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array | string>;
  /** How much of it was read, as the end of a sentence. */
  share(): string;
}

async function sourceOf({ io, signal }: Context, file: string): Promise<Source> {
  if (file === "-") return { name: "stdin", bytes: io.stdin, share: () => "" };
  const name = JSON.stringify(file);
  try {
    const found = await stat(file);
    if (found.isFIFO()) return { name, bytes: await openPipe(file, signal), share: () => "" };
    if (await isArchive(file)) return archiveOf(file);
    const stream = createReadStream(file);
    const share = () => `, ${Math.floor((100 * stream.bytesRead) / Math.max(1, found.size))} %`;
    return { name, bytes: stream, share };
  } catch (cause) {
    const hint = "Name a file that you can read, or - for stdin.";
    throw unreadableFile(name, cause, hint);
  }
}

/** Whether it begins like a zip archive, whatever its name is. */
async function isArchive(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && buffer.toString("latin1").startsWith("PK");
  } finally {
    await handle.close();
  }
}

async function archiveOf(file: string): Promise<Source> {
  const { archivedFiles } = await import("../../data/import/archive.js");
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for await (const each of archivedFiles(file)) yield* each;
  }
  return { name: JSON.stringify(file), bytes: bytes(), share: () => "" };
}

function refuseNothing({ imported, extended, present, format, leftOut }: Imported, file: string) {
  if (imported + extended + present > 0 || Object.keys(leftOut).length === 0) return;
  throw new AgnoChatError(
    "INVALID_INPUT",
    `There is no conversation of the format ${format} in ${JSON.stringify(file)}.`,
    { hint: "Leave out --from, so that the file tells its format." },
  );
}

function report(
  { options, output, settings }: Context,
  { otherUser, leftOut, messages, format, ...conversations }: Imported,
  { file, dryRun }: { readonly file: string; readonly dryRun: boolean },
): void {
  const { user } = settings.values;
  if (otherUser !== undefined)
    output.note(`The file is of the user ${JSON.stringify(otherUser)}; all of it goes to ${user}.`);
  if (options.json)
    return output.document({
      ok: true,
      dryRun,
      user,
      file,
      format,
      conversations,
      messages,
      leftOut,
    });
  const { imported, extended, present } = conversations;
  const verb = dryRun ? "Would import" : "Imported";
  const lines = [
    `${verb} ${count(imported, "conversation")} of ${user}: ${count(messages, "message")}.`,
    ...(extended > 0 ? [`${count(extended, "conversation")} went on since the last import.`] : []),
    ...(present > 0
      ? [`${count(present, "conversation")} ${present === 1 ? "was" : "were"} here already.`]
      : []),
  ];
  output.write(`${lines.join("\n")}\n`);
  for (const [what, number] of Object.entries(leftOut))
    output.note(`Left out: ${number} × ${what}`);
}

const keptText = ({ imported, extended, messages }: Imported): string =>
  imported + extended === 0
    ? "Nothing was imported."
    : `Kept what was imported whole, up to ${count(messages, "message")}; the next import goes on there.`;
