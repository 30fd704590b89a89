import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { checkStore } from "../../src/memory/check-store.js";
import type { Finding } from "../../src/memory/store-report.js";
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

  it("is unsafe if SQLite finds damage, which is not quoted", async () => {
    const path = await fileOfAlice();
    const bytes = readFileSync(path);
    // It counts free pages that are nowhere: https://sqlite.org/fileformat2.html, offset 36.
    bytes.writeUInt32BE(9, 36);
    writeFileSync(path, bytes);
    expect(await finding(path, "integrity")).toEqual({
      about: "integrity",
      status: "unsafe",
      text: "the file is damaged",
      hint: "Restore a backup, or recover what is left: sqlite3 FILE .recover",
    });
  });

  it("says what the next program will do to an empty file", async () => {
    const path = temporaryFile();
    writeFileSync(path, "", { mode: 0o600 });
    expect((await finding(path, "durability")).text).toContain("no write-ahead log yet");
    expect((await finding(path, "version")).text).toContain("upgrades it");
  });

  it("is an error if there is no file", async () => {
    await expect(checkStore(`sqlite:${temporaryFile()}`)).rejects.toMatchObject({
      code: "STORE_NOT_READY",
    });
  });
});
