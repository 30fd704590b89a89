import { existsSync } from "node:fs";
import { relative } from "node:path";
import { describe, expect, it } from "vitest";
import { InMemory } from "../../src/memory/in-memory.js";
import { openMemory } from "../../src/memory/open-memory.js";
import { userMessage } from "../../src/messages.js";
import { temporaryFile } from "../support/memory-file.js";

describe("openMemory", () => {
  it("opens an in-memory one", async () => {
    expect(await openMemory("memory:")).toBeInstanceOf(InMemory);
  });

  it("opens an SQLite file by an absolute or a relative path", async () => {
    for (const pathOf of [
      (path: string) => path,
      (path: string) => relative(process.cwd(), path),
    ]) {
      const path = temporaryFile("a b:c.db");
      const memory = await openMemory(`sqlite:${pathOf(path)}`, { now: () => 0 });
      await memory.add(userMessage("hi"));
      expect((await memory.users())[0]?.lastActivity).toBe("1970-01-01T00:00:00.000Z");
      expect(existsSync(path)).toBe(true);
      await memory.close();
    }
  });

  it("refuses an unknown kind, names the known ones and suggests the nearest", async () => {
    for (const spec of ["", "history.db", ":memory:", "redis://user:secret@host"])
      await expect(openMemory(spec)).rejects.toMatchObject({
        code: "STORE_UNKNOWN",
        message: expect.not.stringContaining("secret"),
        hint: expect.stringMatching(/memory:, sqlite:PATH or postgres:/),
      });
    for (const [spec, meant] of [
      ["file:x.db", "sqlite:"],
      ["SQLITE3:x.db", "sqlite:"],
      [":memory:", "memory:"],
    ])
      await expect(openMemory(spec as string)).rejects.toThrow(`Did you mean ${meant}`);
    for (const spec of [
      "sqlite::memory:",
      "sqlite:postgres://u:secret@h/d",
      "sqlite:file:x",
      "sqlite://x",
    ])
      await expect(openMemory(spec)).rejects.toMatchObject({
        code: "STORE_UNKNOWN",
        message: expect.not.stringContaining("secret"),
      });
    await expect(openMemory("sqlit:x.db")).rejects.toThrow("Did you mean sqlite:");
    await expect(openMemory("redis:x")).rejects.toThrow(/"redis:"\.$/);
    await expect(openMemory("sqlite:")).rejects.toMatchObject({ code: "STORE_UNKNOWN" });
  });
});
