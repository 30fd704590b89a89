import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { checkStore } from "../../src/memory/check-store.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import type { Finding } from "../../src/memory/store-report.js";
import { loadEngine, SqliteConnection } from "../../src/memory/stores/sqlite/driver.js";
import { userMessage } from "../../src/messages.js";
import { fileOfAlice, temporaryFile } from "../support/memory-file.js";

async function finding(path: string, about: string): Promise<Finding> {
  const { findings } = await checkStore(`sqlite:${path}`);
  return findings.find((each) => each.about === about) as Finding;
}

describe("what store check says about a memory file", () => {
  it("is all ok for a new one", async () => {
    const { findings } = await checkStore(`sqlite:${await fileOfAlice()}`);
    expect(findings.map(({ about, status }) => `${about}: ${status}`)).toEqual([
      "file: ok",
      "folder: ok",
      "integrity: ok",
      "rows: ok",
      "durability: ok",
      "version: ok",
    ]);
  });

  it.skipIf(process.platform === "win32")(
    "is unsafe when others may read the file, and names the command that ends it",
    async () => {
      const path = await fileOfAlice();
      chmodSync(path, 0o644);
      expect(await finding(path, "file")).toMatchObject({
        status: "unsafe",
        hint: `chmod 600 "${path}"`,
      });
    },
  );

  it.skipIf(process.platform === "win32")(
    "warns when others may replace the file, unless the folder is sticky",
    async () => {
      const path = await fileOfAlice();
      const folder = dirname(path);
      chmodSync(folder, 0o777);
      expect(await finding(path, "folder")).toMatchObject({
        status: "warning",
        hint: `chmod 700 "${folder}"`,
      });
      chmodSync(folder, 0o1777);
      expect(await finding(path, "folder")).toMatchObject({ status: "ok" });
    },
  );

  it("is unsafe if SQLite finds damage, which is not quoted, and says what can be done", async () => {
    const path = await fileOfAlice();
    const bytes = readFileSync(path);
    // It counts free pages that are nowhere: https://sqlite.org/fileformat2.html, offset 36.
    bytes.writeUInt32BE(9, 36);
    writeFileSync(path, bytes);
    expect(await finding(path, "integrity")).toEqual({
      about: "integrity",
      status: "unsafe",
      text: "the file is damaged in one place",
      hint:
        `If it was moved without its log, put "${path}-wal" beside it again. Restore a backup, ` +
        `or save who can be read: agno-chat store salvage NEW-FILE --store "sqlite:${path}"`,
    });
  });

  it.each([
    ["its beginning is overwritten", (bytes: Buffer) => bytes.fill(0, 0, 16)],
    ["it is cut off", (bytes: Buffer) => bytes.subarray(0, 3 * 4096)],
    ["a page is filled with zeros", (bytes: Buffer) => bytes.fill(0, 4096, 3 * 4096)],
    ["its schema is gone", (bytes: Buffer) => bytes.fill(0xff, 100, 4096)],
  ])("is unsafe when %s", async (_, damage) => {
    const path = await fileOfAlice();
    writeFileSync(path, damage(readFileSync(path)));
    const { status, text } = await finding(path, "integrity");
    expect(status).toBe("unsafe");
    expect(text).toMatch(/overwritten|cut off: it has 12288 of \d+ bytes|damaged/);
  });

  it.each([
    ["UPDATE users SET messages = 7", "the counts of 1 users are wrong"],
    ["UPDATE users SET sessions = 7", "the counts of 1 users are wrong"],
    ["UPDATE users SET next_message_id = 1", "the counts of 1 users are wrong"],
    ["UPDATE sessions SET messages = 7", "the counts of 1 users are wrong"],
    ["DELETE FROM users", "1 of them belong to nobody"],
    ["DELETE FROM sessions", "1 of them belong to nobody, the counts of 1 users are wrong"],
    ["UPDATE messages SET body_json = 'hi'", "1 of them are no messages"],
    ["DROP TABLE sessions", "they cannot be counted"],
  ])("is unsafe after another program's %s", async (sql, fault) => {
    const path = await fileOfAlice();
    const connection = new SqliteConnection(await loadEngine(), path);
    connection.exec(sql);
    await connection.close();
    expect(await finding(path, "rows")).toMatchObject({
      status: "unsafe",
      text: `another program has changed them: ${fault}`,
      hint: expect.stringContaining("agno-chat store salvage"),
    });
  });

  it("says what the next program will do to an empty file", async () => {
    const path = temporaryFile();
    writeFileSync(path, "", { mode: 0o600 });
    expect((await finding(path, "durability")).text).toContain("no write-ahead log yet");
    expect((await finding(path, "version")).text).toContain("upgrades it");
  });

  it("with a log is not called cut off, since the log may hold the rest", async () => {
    const path = await fileOfAlice();
    const memory = new SqliteMemory(path);
    await memory.add(userMessage("x".repeat(100_000)), "alice");
    expect(await finding(path, "integrity")).toMatchObject({ status: "ok" });
    await memory.close();
  });

  it("is an error, and no damage, if it is of a newer agno-chat", async () => {
    const path = await fileOfAlice();
    const bytes = readFileSync(path);
    bytes.writeUInt32BE(99, 60);
    writeFileSync(path, bytes);
    await expect(checkStore(`sqlite:${path}`)).rejects.toMatchObject({ code: "STORE_TOO_NEW" });
  });

  it("is an error if there is no file", async () => {
    await expect(checkStore(`sqlite:${temporaryFile()}`)).rejects.toMatchObject({
      code: "STORE_NOT_READY",
    });
  });
});
