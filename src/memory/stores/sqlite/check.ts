import { statSync } from "node:fs";
import { dirname } from "node:path";
import { type Finding, ok, type StoreReport, unsafe, warning } from "../../store-report.js";
import { damageIn } from "./damage.js";
import { OTHERS, OTHERS_WRITE } from "./file.js";
import { headerOf } from "./header.js";
import { pathOf } from "./path.js";
import { MIGRATIONS, peekMemoryFile, requireFile } from "./schema.js";

/**
 * Looks at a memory file and changes nothing.
 * @throws {AgnoChatError} `STORE_…`
 */
export async function checkSqlite(name: string): Promise<StoreReport> {
  const path = pathOf(name);
  requireFile(path);
  const damage = await damageIn(path);
  const isWhole = damage.every(({ status }) => status === "ok");
  return {
    store: `the memory file ${JSON.stringify(path)}`,
    findings: [
      fileRights(path),
      folderRights(dirname(path)),
      ...damage,
      ...(isWhole ? await factsOf(path) : []),
    ],
  };
}

/**
 * Reads the header of a memory file only.
 * @throws {AgnoChatError} `STORE_…`; `STORE_NOT_READY` if there is no file
 */
export async function requireSqlite(name: string): Promise<void> {
  await peekMemoryFile(pathOf(name), "1");
}

async function factsOf(path: string): Promise<readonly Finding[]> {
  const [version, schema] = (await peekMemoryFile(path, FACTS)) as Facts;
  return [journal(headerOf(path).isWriteAhead), schemaOf(version, schema)];
}

const FACTS = "sqlite_version(), (SELECT user_version FROM pragma_user_version)";

type Facts = readonly [version: string, schema: number];

const STICKY = 0o1000;

function fileRights(path: string): Finding {
  const about = "file";
  const open = [path, `${path}-wal`, `${path}-shm`].filter((each) => hasMode(each, OTHERS));
  if (open.length === 0) return ok(about, "nobody else on this machine can read it");
  return unsafe(about, "others on this machine can read or write it", {
    hint: `chmod 600 ${open.map((each) => JSON.stringify(each)).join(" ")}`,
  });
}

function folderRights(folder: string): Finding {
  const about = "folder";
  if (hasMode(folder, STICKY) || !hasMode(folder, OTHERS_WRITE))
    return ok(about, "nobody else can replace the file");
  return warning(about, "others on this machine can replace the file", {
    hint: `chmod 700 ${JSON.stringify(folder)}`,
  });
}

const hasMode = (path: string, bits: number): boolean =>
  process.platform !== "win32" &&
  ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & bits) !== 0;

const journal = (isWal: boolean): Finding =>
  ok(
    "durability",
    isWal
      ? "what was answered is on disk, in a write-ahead log first"
      : "no write-ahead log yet; the next program that opens the file begins one",
  );

function schemaOf(version: string, schema: number): Finding {
  const next =
    schema < MIGRATIONS.length ? "; the next program that opens the file upgrades it" : "";
  return ok("version", `SQLite ${version}, schema ${schema} of ${MIGRATIONS.length}${next}`);
}
