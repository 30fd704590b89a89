import { stat } from "node:fs/promises";
import { AgnoChatError } from "../errors.js";
import { parseLastingSpec } from "../memory/store-spec.js";
import { makePrivateFile } from "./write-file.js";

interface StoreFileOptions {
  /** The store that it is made of. */
  readonly from: string;
  readonly overwrite: boolean | undefined;
}

/**
 * Makes a memory file, whole or not at all, and readable only for its owner.
 * @param overwrite Undefined where that is no choice.
 * @param fill Writes to an empty file beside it, which then gets its name.
 * @throws {AgnoChatError} `USAGE`, `FILE_EXISTS`, `FILE_UNWRITABLE`; what `fill` throws
 */
export async function makeStoreFile<Result>(
  file: string,
  { from, overwrite }: StoreFileOptions,
  fill: (beside: string) => Promise<Result>,
): Promise<Result> {
  await refuseOpenFile(file, from);
  return makePrivateFile(file, fill, {
    overwrite: overwrite ?? false,
    hint: `Choose another name${overwrite === undefined ? "" : ", or overwrite it with --force"}.`,
    onOther: () => Promise.reject(noFile(file)),
  });
}

/**
 * A log beside the file would be taken for a part of the backup.
 * @throws {AgnoChatError} `USAGE` for the store itself and for a file with a log
 */
async function refuseOpenFile(file: string, spec: string): Promise<void> {
  const { kind, location } = parseLastingSpec(spec);
  if (kind === "sqlite" && (await areSame(file, location)))
    throw new AgnoChatError(
      "USAGE",
      "The new file cannot be the memory file itself.",
      NAME_ANOTHER,
    );
  for (const log of [`${file}-wal`, `${file}-journal`])
    if ((await stat(log).catch(() => undefined)) !== undefined)
      throw new AgnoChatError(
        "USAGE",
        `There is a log ${JSON.stringify(log)}, so a program may be using the file.`,
        NAME_ANOTHER,
      );
}

const NAME_ANOTHER = { hint: "Name another file." };

async function areSame(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all(
    [one, other].map((path) => stat(path).catch(() => undefined)),
  );
  return first !== undefined && first.ino === second?.ino && first.dev === second.dev;
}

const noFile = (file: string): AgnoChatError =>
  new AgnoChatError(
    "USAGE",
    `A memory is one file, and ${JSON.stringify(file)} is none.`,
    NAME_ANOTHER,
  );
