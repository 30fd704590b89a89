import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { AgnoChatError } from "../../src/errors.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { assistantMessage, userMessage } from "../../src/messages.js";
import { temporaryFile } from "../support/memory-file.js";
import { numbersFrom } from "../support/numbers.js";

const FILES = 500;
const SECRET = "tellnobody";

/** A file with several pages of each table; every text in it contains the secret. */
async function intactFile(path: string): Promise<Uint8Array> {
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
function damage(intact: Uint8Array, below: (bound: number) => number): Uint8Array {
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
function textsOf(error: unknown): string {
  const texts: string[] = [];
  for (let cause = error; cause !== undefined; cause = (cause as Error).cause)
    texts.push(
      String(cause),
      String((cause as AgnoChatError).hint),
      String((cause as Error).stack),
    );
  return texts.join("\n");
}

describe("a damaged memory file", () => {
  it(`fails with a storage error that quotes none of its text (${FILES} files)`, async () => {
    const path = temporaryFile();
    const intact = await intactFile(path);
    const below = numbersFrom(20_261_125);
    const codes = new Map<string, number>();
    for (let file = 0; file < FILES; file += 1) {
      const damaged = temporaryFile();
      writeFileSync(damaged, damage(intact, below));
      const memory = new SqliteMemory(damaged);
      const user = `${SECRET}-user-${file % 7}`;
      const sessionId = `${SECRET}-session-${file % 3}`;
      const calls: (() => unknown)[] = [
        () => memory.users(),
        () => memory.sessions(user),
        () => memory.read(user, { sessionId }),
        () => memory.getMessages(user),
        () => memory.getState(user, { sessionId }),
        () => memory.size(user),
        () => memory.close(),
      ];
      // Only for some files, because writes wait for the disk.
      const writes = [
        () => memory.add(userMessage("hi"), user, { sessionId, state: { key: file } }),
        () => memory.clear(user),
        () => memory.removeInactive(1_000_000),
      ];
      if (file % 5 === 0) calls.splice(-1, 0, ...writes);
      for (const call of calls) {
        try {
          await call();
        } catch (error) {
          expect(error, textsOf(error)).toBeInstanceOf(AgnoChatError);
          const { code, message, hint } = error as AgnoChatError;
          expect(["STORE_FAILED", "STORE_FOREIGN", "STORE_TOO_NEW"]).toContain(code);
          expect(message).toContain(JSON.stringify(damaged));
          expect(`${message} ${hint}`).not.toContain("\n");
          expect(textsOf(error)).not.toContain(SECRET);
          codes.set(code, (codes.get(code) ?? 0) + 1);
        }
      }
    }
    expect(codes.get("STORE_FAILED")).toBeGreaterThan(FILES / 2);
  }, 60_000);

  it("fails with a hint on how to recover it", async () => {
    const path = temporaryFile();
    const bytes = Buffer.from(await intactFile(path));
    bytes.write("'role'", bytes.indexOf('"role":"user"'));
    writeFileSync(path, bytes);
    const memory = new SqliteMemory(path);
    const reads = Array.from({ length: 7 }, async (_, index) =>
      memory.getMessages(`${SECRET}-user-${index}`),
    );
    const failures = (await Promise.allSettled(reads)).flatMap((each) =>
      each.status === "rejected" ? [each.reason] : [],
    );
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({
      code: "STORE_FAILED",
      message: `Cannot use the memory file ${JSON.stringify(path)}: it is damaged.`,
      hint: expect.stringContaining(".recover"),
    });
    await memory.close();
  });
});
