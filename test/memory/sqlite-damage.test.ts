import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { AgnoChatError } from "../../src/errors.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { assistantMessage, userMessage } from "../../src/messages.js";
import { temporaryFile } from "../support/memory-file.js";
import { numbersFrom } from "../support/numbers.js";

const PLACES = 500;
const SECRET = "tellnobody";

/** A file with some pages of every table, each text of it with the secret inside. */
async function wholeFile(path: string): Promise<Uint8Array> {
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

/** One of the ways in which files get damaged. */
function damage(whole: Uint8Array, below: (bound: number) => number): Uint8Array {
  const bytes = Uint8Array.from(whole);
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

function everythingIn(error: unknown): string {
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
  it(`is told as what it is at ${PLACES} places, without a word of what it holds`, async () => {
    const path = temporaryFile();
    const whole = await wholeFile(path);
    const below = numbersFrom(20_261_125);
    const codes = new Map<string, number>();
    for (let place = 0; place < PLACES; place += 1) {
      const damaged = temporaryFile();
      writeFileSync(damaged, damage(whole, below));
      const memory = new SqliteMemory(damaged);
      const user = `${SECRET}-user-${place % 7}`;
      const sessionId = `${SECRET}-session-${place % 3}`;
      const calls: (() => unknown)[] = [
        () => memory.users(),
        () => memory.sessions(user),
        () => memory.read(user, { sessionId }),
        () => memory.getMessages(user),
        () => memory.getState(user, { sessionId }),
        () => memory.size(user),
        () => memory.close(),
      ];
      // What writes waits for the disk, so not everywhere.
      const writing = [
        () => memory.add(userMessage("hi"), user, { sessionId, state: { key: place } }),
        () => memory.clear(user),
        () => memory.removeInactive(1_000_000),
      ];
      if (place % 5 === 0) calls.splice(-1, 0, ...writing);
      for (const call of calls) {
        try {
          await call();
        } catch (error) {
          expect(error, everythingIn(error)).toBeInstanceOf(AgnoChatError);
          const { code, message, hint } = error as AgnoChatError;
          expect(["STORE_FAILED", "STORE_FOREIGN", "STORE_TOO_NEW"]).toContain(code);
          expect(message).toContain(JSON.stringify(damaged));
          expect(`${message} ${hint}`).not.toContain("\n");
          expect(everythingIn(error)).not.toContain(SECRET);
          codes.set(code, (codes.get(code) ?? 0) + 1);
        }
      }
    }
    expect(codes.get("STORE_FAILED")).toBeGreaterThan(PLACES / 2);
  }, 60_000);

  it("is told with what can be done", async () => {
    const path = temporaryFile();
    const whole = Buffer.from(await wholeFile(path));
    const at = whole.indexOf('"role":"user"');
    whole.write("'role'", at);
    writeFileSync(path, whole);
    const memory = new SqliteMemory(path);
    const failing = Array.from({ length: 7 }, async (_, index) =>
      memory.getMessages(`${SECRET}-user-${index}`),
    );
    const failures = (await Promise.allSettled(failing)).flatMap((each) =>
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
