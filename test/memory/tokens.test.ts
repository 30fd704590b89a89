import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Memory, Tokens } from "../../src/memory/memory.js";
import { StoreMemory } from "../../src/memory/store-memory.js";
import { InMemoryStore } from "../../src/memory/stores/in-memory/in-memory-store.js";
import { SqliteStore } from "../../src/memory/stores/sqlite/sqlite-store.js";
import { temporaryFile } from "../support/memory-file.js";

const NOW = Date.parse("2026-11-26T12:00:00.000Z");
const DAY = 86_400_000;

function required(tokens: Tokens | undefined): Tokens {
  if (tokens === undefined) throw new Error("a memory without tokens");
  return tokens;
}

const stores = {
  memory: () => new InMemoryStore(Infinity),
  sqlite: () => new SqliteStore(temporaryFile()),
};

describe.each(Object.entries(stores))("tokens of %s", (_, open) => {
  function tokensAt(time = NOW) {
    const clock = { now: time };
    const memory: Memory = new StoreMemory(open(), { now: () => clock.now });
    onTestFinished(async () => memory.close());
    return { clock, memory, tokens: required(memory.tokens) };
  }

  test("let in the user they are of, and say what they are for", async () => {
    const { tokens } = tokensAt();
    const { token, tokenId } = await tokens.create("alice", { label: "laptop", expiresIn: DAY });
    await tokens.create("bob");
    expect(token).toMatch(/^agnochat_[0-9a-f]{16}_[\w-]{43}$/);
    expect(await tokens.check(token)).toEqual({
      tokenId,
      userId: "alice",
      label: "laptop",
      createdAt: "2026-11-26T12:00:00.000Z",
      expiresAt: "2026-11-27T12:00:00.000Z",
    });
  });

  test("let nobody in when a character differs, or when they are revoked or expired", async () => {
    const { clock, tokens } = tokensAt();
    const { token, tokenId } = await tokens.create("alice", { expiresIn: DAY });
    const other = await tokens.create("bob");
    for (let at = 0; at < token.length; at += 1) {
      const changed = `${token.slice(0, at)}${token[at] === "0" ? "1" : "0"}${token.slice(at + 1)}`;
      expect(await tokens.check(changed)).toBeUndefined();
    }
    for (const wrong of ["", token.slice(0, -1), `${token}A`, ` ${token}`, `${token}\n`])
      expect(await tokens.check(wrong)).toBeUndefined();
    const mixed = other.token.slice(0, 26) + token.slice(26);
    expect(await tokens.check(mixed)).toBeUndefined();
    clock.now += DAY - 1;
    expect(await tokens.check(token)).toBeDefined();
    expect(await tokens.isValid(tokenId)).toBe(true);
    clock.now += 1;
    expect(await tokens.check(token)).toBeUndefined();
    expect(await tokens.isValid(tokenId)).toBe(false);
    expect(await tokens.revoke(other.tokenId)).toBe(true);
    expect(await tokens.check(other.token)).toBeUndefined();
    expect(await tokens.isValid(other.tokenId)).toBe(false);
    expect(await tokens.revoke(other.tokenId)).toBe(false);
  });

  test("are listed without their secrets, with their last use to the minute", async () => {
    const { clock, tokens } = tokensAt();
    const mine = await tokens.create("alice");
    clock.now += 1;
    await tokens.create("bob", { label: "phone" });
    for (const pause of [0, 59_999, 2]) {
      clock.now += pause;
      await tokens.check(mine.token);
    }
    const listed = await tokens.list();
    expect(listed.map(({ userId, lastUsedAt }) => [userId, lastUsedAt])).toEqual([
      ["alice", new Date(NOW + 60_002).toISOString()],
      ["bob", undefined],
    ]);
    expect(JSON.stringify(listed)).not.toContain(mine.token.slice(26));
    expect((await tokens.list("bob")).map(({ label }) => label)).toEqual(["phone"]);
  });

  test("refuse a strange user, label, duration or option", async () => {
    const { tokens } = tokensAt();
    await expect(tokens.create("")).rejects.toMatchObject({ code: "INVALID_USER_ID" });
    for (const label of ["", " a", "a\nb", "x".repeat(101), 7 as never])
      await expect(tokens.create("alice", { label })).rejects.toMatchObject({
        code: "INVALID_INPUT",
      });
    await expect(tokens.create("alice", { expiresIn: -1 })).rejects.toThrow("expiresIn");
    await expect(tokens.create("alice", { user: "bob" } as never)).rejects.toThrow("user");
    const forever = await tokens.create("alice", { expiresIn: Number.MAX_VALUE });
    expect(forever.expiresAt).toBe("+275760-09-13T00:00:00.000Z");
    expect((await tokens.create("alice", { expiresIn: Infinity })).expiresAt).toBeUndefined();
  });

  test("stay when their user is cleared, and end with the memory", async () => {
    const { memory, tokens } = tokensAt();
    const { token } = await tokens.create("alice");
    await memory.clear("alice");
    await memory.clearAll();
    expect(await tokens.check(token)).toBeDefined();
    await memory.close();
    await expect(tokens.check(token)).rejects.toMatchObject({ code: "STORE_CLOSED" });
  });
});

test("a file holds the hash of a token and not its secret", async () => {
  const file = temporaryFile();
  const memory = new StoreMemory(new SqliteStore(file));
  const { token } = await required(memory.tokens).create("alice");
  await memory.close();
  const folder = path.dirname(file);
  const bytes = readdirSync(folder).map((name) => readFileSync(path.join(folder, name), "latin1"));
  const secret = token.slice(26);
  expect(bytes.some((text) => text.includes(secret))).toBe(false);
  const hash = createHash("sha256").update(secret).digest("hex");
  expect(bytes.some((text) => text.includes(hash))).toBe(true);
});

test("a use that cannot be noted lets the request go on", async () => {
  const store = new InMemoryStore(Infinity);
  store.tokens.noteUse = () => Promise.reject(new Error("the disk is full")) as never;
  const tokens = required(new StoreMemory(store).tokens);
  const { token } = await tokens.create("alice");
  expect(await tokens.check(token)).toMatchObject({ userId: "alice" });
});
