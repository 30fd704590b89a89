import { rm, stat } from "node:fs/promises";
import { AgnoChatError } from "../errors.js";

/**
 * Removes the log of a new memory file that is closed, before the file gets another name.
 * @throws {AgnoChatError} `STORE_FAILED` if the file is not whole without it
 */
export async function removeLog(target: string): Promise<void> {
  const log = await stat(`${target}-wal`).catch(() => undefined);
  for (const each of [`${target}-wal`, `${target}-shm`]) await rm(each, { force: true });
  if (log !== undefined && log.size > 0) throw unfinished();
}

const unfinished = (): AgnoChatError =>
  new AgnoChatError("STORE_FAILED", "The new memory file could not be finished.", {
    hint: "Try again.",
  });
