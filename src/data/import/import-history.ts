import type { Memory } from "../../memory/memory.js";
import { type KnownKeys, refuseUnknownKeys } from "../../options.js";
import type { Imported, ImportOptions } from "./import-options.js";

const KEYS: KnownKeys<ImportOptions> = {
  format: true,
  sessionId: true,
  dryRun: true,
  limits: true,
  signal: true,
  onProgress: true,
};

/**
 * Stores the conversations of an export as sessions of one user, whoever the file names: our own
 * exports as json and jsonl, ChatGPT's and Claude's `conversations.json`, and messages in OpenAI's
 * format. An import that fails or is stopped keeps the conversations that it has stored whole,
 * and no part of another. Run again, it adds only what is new.
 * @param texts The file, in pieces of any length.
 * @example
 * const memory = new InMemory();
 * const file = ['[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]'];
 * const { imported, messages } = await importHistory(memory, "alice", file);
 * console.log(imported, messages); // 1 2
 * @throws {AgnoChatError} `INVALID_INPUT` for a file that holds no conversation or is cut off,
 *   `BUDGET` for more than the user may keep, `INVALID_USER_ID`, `INVALID_SESSION_ID`, `USAGE`
 */
export async function importHistory(
  memory: Memory,
  userId: string,
  texts: AsyncIterable<string> | Iterable<string>,
  options: ImportOptions = {},
): Promise<Imported> {
  refuseUnknownKeys(options, KEYS, "importHistory");
  const { runImport } = await import("./run-import.js");
  return runImport(memory, userId, texts, options);
}
