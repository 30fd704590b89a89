import { stat } from "node:fs/promises";
import { type Backup, type BackupProgress, backUpStore } from "../../data/backup-store.js";
import { AgnoChatError, ERROR_TABLE } from "../../errors.js";
import { requireStore } from "../../memory/check-store.js";
import { parseLastingSpec } from "../../memory/store-spec.js";
import type { Context } from "../command-context.js";
import { storeOf } from "../open-agent.js";
import { Progress } from "../progress.js";
import { namedUser } from "../settings/settings.js";
import { makeStoreFile } from "../store-file.js";
import { bytesText, count } from "../words.js";

export interface BackupOptions {
  readonly force?: boolean;
}

/** `backup FILE`: copies the store with all of its users. Exit code 5 when somebody is missing. */
export async function backup(
  context: Context,
  [file = ""]: string[],
  { force = false }: BackupOptions,
): Promise<number> {
  const spec = storeOf(context);
  refuseOneUser(context);
  await requireStore(spec);
  const { signal } = context;
  const progress = new Progress(context);
  const onProgress = (done: BackupProgress) => progress.show(() => progressText(done));
  const fill = (target: string) =>
    backUpStore(spec, { target, signal, onProgress }).finally(() => progress.hide());
  const made = await makeStoreFile(file, { from: spec, overwrite: force }, fill);
  return report(context, { file, kind: parseLastingSpec(spec).kind, ...made });
}

interface Made extends Backup {
  readonly file: string;
  readonly kind: string;
}

async function report({ options, output }: Context, made: Made): Promise<number> {
  const { file, kind, users, messages, missing } = made;
  const { size: bytes } = await stat(file);
  const ok = missing.length === 0;
  const isWhole = kind === "sqlite";
  if (options.json) output.document({ ok, file, users, messages, bytes, isWhole, missing });
  else {
    const what = `${count(users, "user")} with ${count(messages, "message")}`;
    output.write(`Backed up ${what} to ${file} (${bytesText(bytes)}).\n`);
  }
  if (!isWhole) output.note(NOT_WHOLE);
  for (const user of missing)
    output.note(`Not in it: ${user}, who was written to all the time. Run the backup again.`);
  return ok ? 0 : ERROR_TABLE.EXPECTATION_FAILED.exit;
}

const NOT_WHOLE =
  "Tokens, limits and what was used of them are not in it. For all of the database, as a superuser: pg_dump --format=custom URL";

const progressText = ({ done, total, unit }: BackupProgress): string =>
  unit === "bytes"
    ? `${bytesText(done)} of about ${bytesText(total)}`
    : `${done} of ${count(total, "user")}`;

/** A backup of one user would hand out all the others. */
function refuseOneUser({ settings }: Context): void {
  const user = namedUser(settings);
  if (user === undefined) return;
  throw new AgnoChatError("USAGE", "A backup holds every user, so --user does not go with it.", {
    hint: `For one user: agno-chat export --user ${JSON.stringify(user)} -o FILE`,
  });
}
