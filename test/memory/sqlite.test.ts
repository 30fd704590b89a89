import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { validateUserId } from "../../src/ids.js";
import { scopeOf } from "../../src/memory/clear-log.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { loadEngine, SqliteConnection } from "../../src/memory/stores/sqlite/driver.js";
import { loadPackageBinary } from "../../src/memory/stores/sqlite/package-binary.js";
import { MIGRATIONS, openMemoryFile } from "../../src/memory/stores/sqlite/schema.js";
import { SQLITE_BUSY, SqliteError } from "../../src/memory/stores/sqlite/sqlite-errors.js";
import { assistantMessage, userMessage } from "../../src/messages.js";
import { temporaryFile } from "../support/memory-file.js";

const hashOf = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

/** A plain connection, to act as another program on the file. */
const connect = async (path: string) => new SqliteConnection(await loadEngine(), path);

async function fileOfAlice(): Promise<string> {
  const path = temporaryFile();
  const memory = new SqliteMemory(path);
  await memory.add([userMessage("hi"), assistantMessage("hello")], "alice");
  await memory.close();
  return path;
}

async function expectRefused(path: string, code: string): Promise<void> {
  const before = hashOf(path);
  const memory = new SqliteMemory(path);
  for (const call of [() => memory.size("alice"), () => memory.add(userMessage("hi"), "alice")])
    await expect(call()).rejects.toMatchObject({
      code,
      message: expect.stringContaining(JSON.stringify(path)),
    });
  await memory.close();
  expect(hashOf(path)).toBe(before);
}

describe("SqliteMemory's file", () => {
  it("is not created before the first call", async () => {
    const path = temporaryFile("folder/memory.db");
    const memory = new SqliteMemory(path);
    expect(existsSync(dirname(path))).toBe(false);
    await memory.close();
    await memory.close();
    expect(existsSync(dirname(path))).toBe(false);
  });

  it("is accessible only to its owner, and so is the folder created for it", async () => {
    const path = temporaryFile("new/folder/memory.db");
    const memory = new SqliteMemory(path);
    await memory.add(userMessage("hi"));
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(dirname(path)))
      expect(statSync(join(dirname(path), name)).mode & 0o777).toBe(0o600);
    await memory.close();
  });

  it("keeps everything until it is opened again", async () => {
    const path = await fileOfAlice();
    const memory = new SqliteMemory(path);
    expect((await memory.getMessages("alice")).map(({ content }) => content)).toEqual([
      "hi",
      "hello",
    ]);
    await memory.close();
  });

  it("is migrated from the first schema, with every clear and run id", async () => {
    const path = temporaryFile();
    const cleared = validateUserId("cleared");
    const first = await connect(path);
    first.exec(`${MIGRATIONS[0]};
      PRAGMA application_id = ${0x61676e6f};
      PRAGMA user_version = 1;
      INSERT INTO users VALUES (1, 'alice', 2, 2, 1, 1, 0);
      INSERT INTO sessions VALUES (1, 1, 'default', 0, 1, 1, 1, 100, '"quoted"', 0);
      INSERT INTO messages VALUES (1, 1, 1, 0, '"quoted"', 0, '{"role":"user","content":"hi"}');
      UPDATE generations SET generation = 3;
      INSERT INTO clears VALUES (1, '${scopeOf(cleared)}', 0), (2, '${scopeOf(validateUserId("other"))}', 0),
        (3, '${scopeOf(cleared)}', 0)`);
    await first.close();

    const memory = new SqliteMemory(path, { now: () => 1_000 });
    expect((await memory.getMessages("alice")).map(({ runId }) => runId)).toEqual(['"quoted"']);
    const [late] = await memory.add(assistantMessage("late"), "alice");
    expect(late?.runId).toBe('"quoted"');
    for (const [user, generation] of [
      ["cleared", 2],
      ["other", 1],
    ] as const)
      await expect(memory.add(userMessage("hi"), user, { generation })).rejects.toMatchObject({
        code: "HISTORY_CLEARED",
      });
    await memory.add(userMessage("hi"), "other", { generation: 2 });
    await memory.close();
  });

  it("is created once if many open it at the same time", async () => {
    const path = temporaryFile();
    const memories = Array.from({ length: 8 }, () => new SqliteMemory(path));
    await Promise.all(memories.map((memory, index) => memory.add(userMessage("hi"), `u${index}`)));
    expect(await memories[0]?.users()).toHaveLength(8);
    for (const memory of memories) await memory.close();
  });

  it("is left unchanged if it is not a database", async () => {
    const path = temporaryFile("notes.txt");
    writeFileSync(path, "Dear diary, this is not a database.\n".repeat(100));
    await expectRefused(path, "STORE_FOREIGN");
  });

  it("is left unchanged if it is another program's database", async () => {
    for (const sql of [
      "CREATE TABLE theirs (x)",
      "PRAGMA application_id = 7",
      "PRAGMA user_version = 1",
      "PRAGMA journal_mode = WAL; CREATE TABLE theirs (x)",
    ]) {
      const path = temporaryFile();
      const theirs = await connect(path);
      theirs.exec(sql);
      await theirs.close();
      await expectRefused(path, "STORE_FOREIGN");
    }
  });

  it("is left unchanged if a newer version created it, even if that one has it open", async () => {
    const path = await fileOfAlice();
    const newer = await connect(path);
    newer.exec("PRAGMA user_version = 1000");
    await expectRefused(path, "STORE_TOO_NEW");
    await newer.close();
    await expectRefused(path, "STORE_TOO_NEW");
  });

  it("is left unchanged if it is damaged", async () => {
    const path = await fileOfAlice();
    truncateSync(path, 4096);
    await expectRefused(path, "STORE_FAILED");
  });

  it("is recovered if a crash left its journal behind", async () => {
    const path = temporaryFile();
    copyFileSync(await fileOfAlice(), path);
    const other = await connect(path);
    other.exec("PRAGMA journal_mode = DELETE");
    // A cache this small is written to the file before the transaction ends.
    other.exec("PRAGMA cache_size = 1; BEGIN; UPDATE messages SET body_json = 'half'");
    other.exec(`CREATE TABLE half AS WITH RECURSIVE numbers (n) AS
      (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 2000)
      SELECT hex(randomblob(100)) FROM numbers`);
    const crashed = temporaryFile();
    for (const suffix of ["", "-journal"])
      writeFileSync(crashed + suffix, readFileSync(path + suffix));
    expect(readFileSync(crashed).includes("half")).toBe(true);
    other.exec("ROLLBACK");
    await other.close();
    const memory = new SqliteMemory(crashed);
    expect((await memory.getMessages("alice")).map(({ content }) => content)).toEqual([
      "hi",
      "hello",
    ]);
    await memory.close();
  });

  it("is named in the error if it cannot be opened", async () => {
    const folder = temporaryFile("folder.db");
    mkdirSync(folder);
    const underFile = join(await fileOfAlice(), "memory.db");
    for (const path of [folder, underFile])
      await expect(new SqliteMemory(path).size("a")).rejects.toMatchObject({
        code: "STORE_FAILED",
        message: expect.stringContaining(JSON.stringify(path)),
      });
  });

  it("is opened by a later call if the first one failed", async () => {
    const path = temporaryFile("memory.db");
    mkdirSync(path);
    const memory = new SqliteMemory(path);
    await expect(memory.size("a")).rejects.toMatchObject({ code: "STORE_FAILED" });
    rmdirSync(path);
    expect(await memory.size("a")).toBe(0);
    await memory.close();
  });
});

describe("SqliteMemory's transactions", () => {
  it("wait for another process that has locked the file", async () => {
    const path = await fileOfAlice();
    const holder = await connect(path);
    const memory = new SqliteMemory(path);
    await memory.size("alice");
    holder.exec("BEGIN IMMEDIATE");
    const added = memory.add(userMessage("again"), "alice");
    expect(await memory.size("alice")).toBe(2);
    holder.exec("COMMIT");
    await added;
    expect(await memory.size("alice")).toBe(3);
    await memory.close();
    await holder.close();
  });

  it("fail if another process locks the file for too long, and store nothing", async () => {
    const path = await fileOfAlice();
    const holder = await connect(path);
    const memory = new SqliteMemory(path);
    await memory.size("alice");
    holder.exec("BEGIN IMMEDIATE");
    let elapsed = 0;
    vi.spyOn(performance, "now").mockImplementation(() => (elapsed += 4_000));
    await expect(memory.add(userMessage("again"), "alice")).rejects.toMatchObject({
      code: "STORE_FAILED",
      message: expect.stringContaining("locked"),
    });
    vi.restoreAllMocks();
    holder.exec("COMMIT");
    expect(await memory.size("alice")).toBe(2);
    await memory.close();
    await holder.close();
  });

  it("store nothing while the disk is full, and work again when it no longer is", async () => {
    const connection = await openMemoryFile(temporaryFile());
    const pages = connection.get<{ page_count: number }>("PRAGMA page_count")?.page_count ?? 0;
    connection.exec(`PRAGMA max_page_count = ${pages}`);
    const write = () =>
      connection.write(() =>
        connection.run("INSERT INTO users VALUES (1, ?, 1, 1, 0, 0, 0)", "x".repeat(1_000_000)),
      );
    await expect(write()).rejects.toMatchObject({
      code: "STORE_FAILED",
      message: expect.stringContaining("full"),
      hint: expect.stringContaining("disk space"),
    });
    expect(connection.all("SELECT * FROM users")).toEqual([]);
    connection.exec("PRAGMA max_page_count = 1000000");
    await write();
    expect(connection.all("SELECT * FROM users")).toHaveLength(1);
    await connection.close();
  });

  it("finish before the file is closed", async () => {
    const path = temporaryFile();
    const memory = new SqliteMemory(path);
    const added = [1, 2, 3].map((each) => memory.add(userMessage(`${each}`), "alice"));
    const cleared = memory.clear("bob");
    await memory.close();
    await Promise.all([...added, cleared]);
    const again = new SqliteMemory(path);
    expect(await again.size("alice")).toBe(3);
    await again.close();
  });

  it("fail with STORE_CLOSED if the file is closed while they wait", async () => {
    const path = await fileOfAlice();
    const connection = await connect(path);
    const waiting = connection.read(() => {
      throw new SqliteError(SQLITE_BUSY);
    });
    await connection.close();
    await expect(waiting).rejects.toMatchObject({ code: "STORE_CLOSED" });
  });

  it("reject with other errors unchanged", async () => {
    const connection = await connect(temporaryFile());
    const bug = new TypeError("a bug");
    const work = () => {
      throw bug;
    };
    await expect(connection.write(work)).rejects.toBe(bug);
    await connection.close();
  });
});

describe("the SQLite engine", () => {
  const absent = () => Promise.reject(new Error("not on this system"));

  const engineOf = (version: string) => async () => ({
    DatabaseSync: class {
      prepare = () => ({ get: () => ({ version }) });
      close = () => undefined;
    },
  });

  it("is the next one if the first is missing or too old to be safe", async () => {
    const safe = engineOf("3.51.3");
    await expect(loadEngine([absent, engineOf("3.50.4"), safe])).resolves.toBeDefined();
    await expect(loadEngine([engineOf("3.51.2"), engineOf("4.0.0")])).resolves.toBeDefined();
  });

  it("is the binary of the package, found where the package keeps it", async () => {
    const first = await loadEngine([async () => loadPackageBinary()]);
    const database = new first.DatabaseSync(":memory:", { timeout: 0, readOnly: false });
    expect(database.prepare("SELECT 1 AS one").get()).toEqual({ one: 1 });
    database.close();
  });

  it("fails with a hint to update Node if none can be loaded", async () => {
    await expect(loadEngine([absent, engineOf("3.51.2")])).rejects.toMatchObject({
      code: "STORE_FAILED",
      hint: expect.stringContaining("Node 22"),
    });
  });
});
