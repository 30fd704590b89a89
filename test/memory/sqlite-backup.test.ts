import { closeSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { checkStore } from "../../src/memory/check-store.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { backUpSqlite, bytesInUse } from "../../src/memory/stores/sqlite/backup.js";
import { SqliteConnection } from "../../src/memory/stores/sqlite/driver.js";
import { MemoryFile } from "../../src/memory/stores/sqlite/file.js";
import {
  SQLITE_FULL,
  SqliteError,
  storeFailed,
} from "../../src/memory/stores/sqlite/sqlite-errors.js";
import { userMessage } from "../../src/messages.js";
import { fileOfAlice, temporaryFile } from "../support/memory-file.js";
import { buildWriter, runsOf, Writer } from "../support/memory-process.js";

/** As the command line makes it before the copy. */
function emptyFile(): string {
  const path = temporaryFile("backup.db");
  closeSync(openSync(path, "wx", 0o600));
  return path;
}

beforeAll(buildWriter);
afterEach(() => vi.restoreAllMocks());

describe("a backup of a memory file", () => {
  it("is from one moment while other processes write, and each is a whole memory", async () => {
    const path = temporaryFile();
    const writers = ["w1", "w2"].map(
      (name) => new Writer({ store: `sqlite:${path}`, user: name, name }),
    );
    for (const writer of writers) await writer.ready();
    for (const writer of writers) writer.start();
    await Promise.all(writers.map((writer) => writer.waitForRuns(1)));
    let before = 0;
    for (let round = 0; round < 6; round += 1) {
      const target = emptyFile();
      const contents = await backUpSqlite(path, target);
      const memory = new SqliteMemory(target);
      let messages = 0;
      for (const name of ["w1", "w2"]) {
        const runs = (await runsOf(memory, name)).get(name) ?? 0;
        expect((await memory.getState(name))[name]).toBe(runs - 1);
        messages += 2 * runs;
      }
      expect(contents).toEqual({ users: 2, messages });
      expect(messages).toBeGreaterThanOrEqual(before);
      before = messages;
      await memory.close();
      const { findings } = await checkStore(`sqlite:${target}`);
      expect(findings.map(({ status }) => status)).not.toContain("unsafe");
    }
    for (const writer of writers) await writer.kill();
  });

  it("holds nothing that was deleted, even before the file is cleaned up", async () => {
    const [path, target] = [temporaryFile(), emptyFile()];
    const memory = new SqliteMemory(path);
    const secrets = Array.from({ length: 50 }, (_, index) =>
      userMessage(`${index} ${"tellnobody ".repeat(index)}`),
    );
    await memory.add(secrets, "alice", { state: { tellnobody: "tellnobody" } });
    await memory.add(userMessage("hi"), "bob");
    await memory.clear("alice");
    await backUpSqlite(path, target);
    expect(readFileSync(target).includes("tellnobody")).toBe(false);
    expect(readFileSync(target).includes("alice")).toBe(false);
    await memory.close();
  });

  it("leaves a file of an older version as it is, and the backup is of that version", async () => {
    const [path, target] = [await fileOfAlice(), emptyFile()];
    const bytes = readFileSync(path);
    bytes.writeUInt32BE(1, 60); // user_version
    writeFileSync(path, bytes);
    await backUpSqlite(path, target);
    expect([path, target].map((file) => readFileSync(file).readUInt32BE(60))).toEqual([1, 1]);
  });

  it("can be made of a file that may only be read, unless that is written to meanwhile", async () => {
    const [path, target] = [await fileOfAlice(), emptyFile()];
    vi.spyOn(MemoryFile.prototype, "isWritable", "get").mockReturnValue(false);
    expect(await backUpSqlite(path, target)).toEqual({ users: 1, messages: 1 });
    vi.spyOn(MemoryFile.prototype, "isUnchanged", "get").mockReturnValue(false);
    await expect(backUpSqlite(path, emptyFile())).rejects.toMatchObject({
      code: "STORE_FAILED",
      message: "The memory file was written to meanwhile.",
    });
  });

  it("says that the disk is full, and what is damaged", async () => {
    const path = await fileOfAlice();
    const retry = vi.spyOn(SqliteConnection.prototype, "retry");
    retry.mockRejectedValue(storeFailed(path, new SqliteError(SQLITE_FULL)));
    await expect(backUpSqlite(path, emptyFile())).rejects.toMatchObject({
      code: "FILE_UNWRITABLE",
      message: "The disk of the backup is full.",
    });
    retry.mockRestore();
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0xff, 4096, 8192));
    await expect(backUpSqlite(path, emptyFile())).rejects.toMatchObject({
      code: "STORE_FAILED",
      message: expect.stringContaining("it is damaged"),
    });
  });

  it("is never made of a file that is not there", async () => {
    const missing = temporaryFile();
    await expect(backUpSqlite(missing, emptyFile())).rejects.toMatchObject({
      code: "STORE_NOT_READY",
    });
    expect(statSync(missing, { throwIfNoEntry: false })).toBeUndefined();
  });

  it("needs about the bytes that are in use", async () => {
    const path = await fileOfAlice();
    expect(await bytesInUse(path)).toBe(statSync(path).size);
  });
});
