import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { MemoryFile } from "../../src/memory/stores/sqlite/file.js";
import { userMessage } from "../../src/messages.js";
import { fileOfAlice, temporaryFile } from "../support/memory-file.js";

async function expectRefused(path: string, words: string, code = "STORE_FAILED"): Promise<void> {
  const memory = new SqliteMemory(path);
  for (const call of [() => memory.size("alice"), () => memory.add(userMessage("hi"), "alice")])
    await expect(call()).rejects.toMatchObject({
      code,
      message: expect.stringMatching(new RegExp(`^[^\n]*${words}[^\n]*$`)),
      hint: expect.stringMatching(/^[^\n]+$/),
    });
  await memory.close();
}

// Windows has no such files.
describe.skipIf(process.platform === "win32")("a path that is not a memory file", () => {
  it("is refused, and nothing is written to it", async () => {
    const folder = temporaryFile("folder.db");
    mkdirSync(folder);
    await expectRefused(folder, "it is a folder");
    const pipe = temporaryFile("pipe.db");
    execFileSync("mkfifo", [pipe]);
    await expectRefused(pipe, "not a regular file");
    await expectRefused("/dev/null", "not a regular file");
    const byte = temporaryFile("byte.db");
    writeFileSync(byte, "x");
    await expectRefused(byte, "not an agno-chat memory", "STORE_FOREIGN");
    expect(readFileSync(byte, "utf8")).toBe("x");
    const circle = temporaryFile("circle.db");
    symlinkSync(circle, circle);
    await expectRefused(circle, "ELOOP");
  });

  it("is refused if the file has two hard links", async () => {
    const path = await fileOfAlice();
    const memory = new SqliteMemory(path);
    await memory.add(userMessage("again"), "alice");
    linkSync(path, `${path}.link`);
    for (const name of [path, `${path}.link`]) await expectRefused(name, "2 hard links");
    await expect(memory.add(userMessage("lost"), "alice")).rejects.toThrow("2 hard links");
    unlinkSync(`${path}.link`);
    await memory.add(userMessage("kept"), "alice");
    expect((await memory.getMessages("alice")).map(({ content }) => content)).toEqual([
      "hi",
      "again",
      "kept",
    ]);
    await memory.close();
  });

  it("may be a symbolic link, which opens the same memory", async () => {
    const path = await fileOfAlice();
    symlinkSync(path, `${path}.link`);
    const [memory, linked] = [new SqliteMemory(path), new SqliteMemory(`${path}.link`)];
    await linked.add(userMessage("again"), "alice");
    expect(await memory.size("alice")).toBe(2);
    await memory.close();
    await linked.close();
  });

  it.each([
    ":memory:",
    "memory:",
    "file:x.db",
    "file:x?mode=memory",
    "//x",
    "postgres://u:secret@h/d",
    "http:x",
  ])("is refused if it looks like a URL or another kind of memory: %s", (path) => {
    expect(() => new SqliteMemory(path)).toThrow(
      expect.objectContaining({
        code: "STORE_UNKNOWN",
        message: expect.not.stringContaining("secret"),
      }),
    );
  });
});

describe.skipIf(process.platform === "win32")("a memory file in use", () => {
  const gone = { code: "STORE_FAILED", message: expect.stringContaining("removed or replaced") };

  it("fails every call after it is removed, and works again when it is put back", async () => {
    const path = await fileOfAlice();
    const memory = new SqliteMemory(path);
    expect(await memory.size("alice")).toBe(1);
    renameSync(path, `${path}.away`);
    await expect(memory.add(userMessage("lost"), "alice")).rejects.toMatchObject(gone);
    await expect(memory.size("alice")).rejects.toMatchObject(gone);
    await expect(memory.clear("alice")).rejects.toMatchObject(gone);
    renameSync(`${path}.away`, path);
    await memory.add(userMessage("kept"), "alice");
    expect(await memory.size("alice")).toBe(2);
    await memory.close();
  });

  it("fails every call after it is replaced, and leaves the other file unchanged", async () => {
    const path = await fileOfAlice();
    copyFileSync(path, `${path}.other`);
    const memory = new SqliteMemory(path);
    await memory.add(userMessage("again"), "alice");
    renameSync(`${path}.other`, path);
    const other = readFileSync(path);
    await expect(memory.add(userMessage("lost"), "alice")).rejects.toMatchObject(gone);
    await expect(memory.size("alice")).rejects.toMatchObject(gone);
    await memory.close();
    expect(readFileSync(path).equals(other)).toBe(true);
  });
});

describe.skipIf(process.platform === "win32")("a memory file that others can access", () => {
  it.each([
    [0o640, "read"],
    [0o604, "read"],
    [0o666, "read and write"],
  ])("is restricted to its owner, who gets one notice: mode %o", async (mode, access) => {
    const path = await fileOfAlice();
    chmodSync(path, mode);
    const lines: string[] = [];
    const memory = new SqliteMemory(path, { notice: (line) => lines.push(line) });
    await memory.size("alice");
    await memory.size("alice");
    await memory.close();
    expect(lines).toEqual([
      `Others could ${access} the memory file ${JSON.stringify(path)}; now only you can.`,
    ]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("is not changed if it belongs to another program", async () => {
    const path = temporaryFile("notes.txt");
    writeFileSync(path, "Dear diary\n".repeat(100), { mode: 0o644 });
    chmodSync(path, 0o644);
    await expectRefused(path, "not an agno-chat memory", "STORE_FOREIGN");
    expect(statSync(path).mode & 0o777).toBe(0o644);
  });
});

describe("a read-only memory file", () => {
  it("shows what another process writes to it, and refuses writes", async () => {
    const path = await fileOfAlice();
    const writer = new SqliteMemory(path);
    // File modes do not stop root, so the check itself is replaced.
    const isWritable = vi.spyOn(MemoryFile.prototype, "isWritable", "get").mockReturnValue(false);
    const reader = new SqliteMemory(path);
    expect(await reader.size("alice")).toBe(1);
    isWritable.mockRestore();
    await writer.add(userMessage("again"), "alice");
    vi.spyOn(MemoryFile.prototype, "isWritable", "get").mockReturnValue(false);
    expect(await reader.size("alice")).toBe(2);
    await expect(reader.add(userMessage("lost"), "alice")).rejects.toMatchObject({
      code: "STORE_FAILED",
      message: expect.stringContaining("read-only"),
    });
    await reader.close();
    vi.restoreAllMocks();
    expect(await writer.size("alice")).toBe(2);
    await writer.close();
  });
});
