import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { userMessage } from "../../src/messages.js";

/** A path in a new folder, which is removed after the test. */
export function temporaryFile(name = "memory.db"): string {
  const folder = mkdtempSync(join(tmpdir(), "agno-chat-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, name);
}

/** A memory file that holds one message of alice, and is closed. */
export async function fileOfAlice(): Promise<string> {
  const path = temporaryFile();
  const memory = new SqliteMemory(path);
  await memory.add(userMessage("hi"), "alice");
  await memory.close();
  return path;
}
