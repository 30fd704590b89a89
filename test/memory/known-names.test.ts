import { describe, expect, it } from "vitest";
import { validateUserId } from "../../src/ids.js";
import { knownNames } from "../../src/memory/known-names.js";
import { openMemory } from "../../src/memory/open-memory.js";
import { userMessage } from "../../src/messages.js";
import { temporaryFile } from "../support/memory-file.js";
import { ask, newDatabase } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";

const server = await postgresUrl();

const STORES = [
  { kind: "SQLite", isMissing: false, newStore: async () => `sqlite:${temporaryFile()}` },
  {
    kind: "PostgreSQL",
    isMissing: server === undefined,
    newStore: () => newDatabase(server as string),
  },
];

/** Stores a message for each of these users in each of these sessions. */
async function fill(spec: string, users: readonly string[], sessions: readonly string[]) {
  const memory = await openMemory(spec);
  for (const user of users)
    for (const sessionId of sessions) await memory.add(userMessage("hi"), user, { sessionId });
  await memory.close();
}

describe.each(STORES)("the names known to $kind", ({ isMissing, newStore }) => {
  it.skipIf(isMissing)("are the users who begin with the prefix, itself included", async () => {
    const spec = await newStore();
    const users = ["alice", "al'ice", "ali", "alj", "\ue000", "\ue000x", "\ud7ff", "😀"];
    await fill(spec, users, ["default"]);
    const names = async (prefix: string, limit = 200) =>
      [...(await knownNames(spec, { prefix, limit }))].sort();
    expect(await names("ali")).toEqual(["ali", "alice"]);
    expect(await names("al'")).toEqual(["al'ice"]);
    expect(await names("\ue000")).toEqual(["\ue000", "\ue000x"]);
    expect(await names("😀")).toEqual(["😀"]);
    expect(await names("")).toEqual([...users].sort());
    expect(await names("", 3)).toHaveLength(3);
  });

  it.skipIf(isMissing)("are one user's sessions, and never another's", async () => {
    const spec = await newStore();
    await fill(spec, ["alice"], ["trip", "work"]);
    await fill(spec, ["bob"], ["secret"]);
    const sessions = async (user: string, prefix = "") =>
      [
        ...(await knownNames(spec, { sessionsOf: validateUserId(user), prefix, limit: 200 })),
      ].sort();
    expect(await sessions("alice")).toEqual(["trip", "work"]);
    expect(await sessions("alice", "w")).toEqual(["work"]);
    expect(await sessions("bob")).toEqual(["secret"]);
    expect(await sessions("x' OR '1'='1")).toEqual([]);
  });

  it.skipIf(isMissing)("are refused, and no store is made, where there is none", async () => {
    const spec = await newStore();
    const refused = { code: expect.stringMatching(/^(STORE_NOT_READY|3F000|42883)$/) };
    await expect(knownNames(spec, { prefix: "", limit: 200 })).rejects.toMatchObject(refused);
    if (spec.startsWith("postgres"))
      expect(await ask(spec, "SELECT FROM pg_namespace WHERE nspname = 'agno_chat'")).toEqual([]);
  });
});

it("has no names for a memory of this process alone", async () => {
  expect(await knownNames("memory:", { prefix: "", limit: 200 })).toEqual([]);
});
