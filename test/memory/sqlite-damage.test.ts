import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { AgnoChatError } from "../../src/errors.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { userMessage } from "../../src/messages.js";
import { damage, intactFile, SECRET, textsOf } from "../support/damaged-file.js";
import { temporaryFile } from "../support/memory-file.js";
import { numbersFrom } from "../support/numbers.js";

const FILES = 500;

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
  });

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
      hint: expect.stringContaining("agno-chat store salvage"),
    });
    await memory.close();
  });
});
