/** Backs up one memory file in a process of its own, which can be killed: SQLite cannot. */
import { asAgnoChatError } from "../errors.js";
import { backUpSqlite } from "../memory/stores/sqlite/backup.js";
import type { BackupAnswer } from "./backup-store.js";

const [source = "", target = ""] = process.argv.slice(2);

// However the other process ends, this one does not outlive it.
process.on("disconnect", () => process.exit());
process.send?.(await answer(), () => process.disconnect());

async function answer(): Promise<BackupAnswer> {
  try {
    return { contents: await backUpSqlite(source, target) };
  } catch (thrown) {
    const { code, message, hint } = asAgnoChatError(thrown);
    return { code, message, hint };
  }
}
