import { readFileSync } from "node:fs";
import type { AgnoChatError } from "../../src/errors.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { assistantMessage, userMessage } from "../../src/messages.js";

export const SECRET = "tellnobody";

/** A file with several pages of each table; every text in it contains the secret. */
export async function intactFile(path: string): Promise<Uint8Array> {
  const memory = new SqliteMemory(path);
  for (let run = 0; run < 60; run += 1) {
    const [user, sessionId] = [`${SECRET}-user-${run % 7}`, `${SECRET}-session-${run % 3}`];
    const question = userMessage(`${run} ${`${SECRET} `.repeat(1 + (run % 40))}`);
    await memory.add([question, assistantMessage(`{"${SECRET}": "${run}"}`)], user, {
      sessionId,
      state: { [`${SECRET}-${run}`]: { text: `${SECRET} `.repeat(5) } },
    });
  }
  await memory.close();
  return readFileSync(path);
}

/** Damages a copy of the file in one of several ways. */
export function damage(intact: Uint8Array, below: (bound: number) => number): Uint8Array {
  const bytes = Uint8Array.from(intact);
  const at = below(bytes.length);
  const ways = [
    () => bytes.fill(below(256), at, at + 1),
    () => bytes.fill((bytes[at] as number) ^ (1 << below(8)), at, at + 1),
    () => bytes.fill(0, at, at + 512),
    () => bytes.copyWithin(at, below(bytes.length), below(bytes.length)),
    () => bytes.fill(below(256), at & ~4095, (at & ~4095) + 1 + below(120)),
    () => bytes.slice(0, at),
  ];
  return (ways[below(ways.length)] as () => Uint8Array)();
}

/** All texts of an error and its causes. */
export function textsOf(error: unknown): string {
  const texts: string[] = [];
  for (let cause = error; cause !== undefined; cause = (cause as Error).cause)
    texts.push(
      String(cause),
      String((cause as AgnoChatError).hint),
      String((cause as Error).stack),
    );
  return texts.join("\n");
}
