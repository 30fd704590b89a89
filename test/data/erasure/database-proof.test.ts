import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { attachedFiles } from "../../../src/attachments.js";
import { DatabaseProof } from "../../../src/data/erasure/database-proof.js";
import type { Receipt } from "../../../src/data/erasure/receipt.js";
import { type SessionId, validateSessionId, validateUserId } from "../../../src/ids.js";
import { PostgresMemory } from "../../../src/memory/postgres.js";
import { initPostgres } from "../../../src/memory/stores/postgres/admin.js";
import { assistantMessage, attachedMessage, userMessage } from "../../../src/messages.js";
import { temporaryFile } from "../../support/memory-file.js";
import { ask, asRole, newDatabase, newRole } from "../../support/postgres.js";
import { postgresUrl } from "../../support/postgres-service.js";

const server = (await postgresUrl()) ?? "";

const SECRET = 'Alice hid the "blue" key under the third stone: 京都の北の石の下に🗝️';
const FILE = "A text that came as a file, about the blue key of Alice.";

interface Prepared {
  /** For a superuser. */
  readonly admin: string;
  /** For a role that may call the functions of the schema, and nothing else. */
  readonly url: string;
}

/** A database in which alice has something of every kind in two sessions, and bob her words. */
async function furnished(): Promise<Prepared> {
  const [admin, role] = [await newDatabase(server), await newRole(server)];
  await initPostgres(admin, { grantTo: [role.name] });
  const url = asRole(admin, role);
  const memory = new PostgresMemory(url);
  const { attachments, contents } = attachedFiles([{ name: "notes.txt", content: FILE }]);
  for (const sessionId of ["default", "party"]) {
    const messages = [attachedMessage(SECRET, attachments), assistantMessage("I see.")];
    await memory.add(messages, "alice", { sessionId, contents, state: { place: SECRET } });
    await memory.add([userMessage("And now?"), assistantMessage("Nothing.")], "alice", {
      sessionId,
      state: { place: "elsewhere" },
    });
  }
  await memory.add([userMessage("long ".repeat(300_000))], "alice");
  await memory.search?.("long", "alice");
  await memory.add([userMessage(SECRET)], "bob", { state: { place: SECRET } });
  await memory.close();
  return { admin, url };
}

interface Look {
  readonly sessionId?: SessionId;
  readonly file?: string;
  /** Called between the delete and the search. */
  readonly plant?: () => unknown;
}

async function proven(url: string, { sessionId, file, plant }: Look = {}): Promise<Receipt> {
  const userId = validateUserId("alice");
  const scope = { userId, sessionId, before: Infinity, typed: [] };
  const proof = await DatabaseProof.before(url, scope);
  const memory = new PostgresMemory(url);
  await memory.clear("alice", { sessionId });
  await memory.close();
  await plant?.();
  const places = file === undefined ? [] : [{ what: "named file", path: file, isExpected: true }];
  const { signal } = new AbortController();
  return proof.after({ places, folders: [], signal, onProgress: () => {} });
}

describe.skipIf(server === "")("after a clear in a database", () => {
  it("no row is left, and what is gone is counted", async () => {
    const { url } = await furnished();
    expect(await proven(url)).toMatchObject({
      isProven: true,
      deleted: { stateValues: 2, stateChanges: 4, attachments: 1, searchBlocks: 1 },
      strays: 0,
      lookedFor: { texts: expect.any(Number), samples: expect.any(Number) },
    });
  });

  it("of one session, the other one is no stray", async () => {
    const { url } = await furnished();
    const receipt = await proven(url, { sessionId: validateSessionId("party") });
    expect(receipt).toMatchObject({
      isProven: true,
      deleted: { stateValues: 1, stateChanges: 2, attachments: 0 },
    });
  });

  it.each([
    ["messages", "VALUES ('alice', 1, 99, 0, 0, 0, NULL, 'user', '\"r\"', '{}')"],
    ["states", "VALUES ('alice', 1, 'a', '\"a\"', '1')"],
    ["state_changes", "VALUES ('alice', 1, 1, 'a', '\"a\"', '1')"],
    ["sessions", "VALUES ('alice', 'party', 1, 0, 0, 0, 0, 0, 0, NULL, '{}')"],
    ["attachments", "VALUES ('alice', 'hash', 'content')"],
    ["attachment_uses", "VALUES ('alice', 1, 1, 'hash')"],
    ["search_blocks", "VALUES ('alice', 1, 2, 0, 1, '{1}')"],
    ["search_parts", "VALUES ('alice', 1, 0, 'postings')"],
    ["leases", "VALUES ('alice', 'party', gen_random_uuid(), 1, now() - interval '1 h')"],
  ])("a row that stays in %s is found", async (table, values) => {
    const { admin, url } = await furnished();
    const plant = () => ask(admin, `INSERT INTO agno_chat.${table} ${values}`);
    expect(await proven(url, { plant })).toMatchObject({ isProven: false, strays: 1 });
  });

  it("a row of another user is none of it", async () => {
    const { admin, url } = await furnished();
    const plant = () =>
      ask(admin, "INSERT INTO agno_chat.states VALUES ('bob', 99, 'a', '\"a\"', '1')");
    expect(await proven(url, { plant })).toMatchObject({ isProven: true, strays: 0 });
  });

  it.each([SECRET, FILE])("a text is found in a file: %s", async (text) => {
    const { url } = await furnished();
    const file = temporaryFile("audit.jsonl");
    const plant = () => writeFileSync(file, JSON.stringify({ text }));
    const receipt = await proven(url, { file, plant });
    expect(receipt.isProven).toBe(false);
    expect(receipt.places[0]).toMatchObject({ what: "named file", offsets: expect.any(Array) });
    expect(JSON.stringify(receipt)).not.toContain("blue");
  });

  it("the server keeps deleted rows, as the receipt says, until the tables are rewritten", async () => {
    const { admin, url } = await furnished();
    await ask(admin, "DELETE FROM agno_chat.messages WHERE user_id = 'bob'");
    const isOnDisk = async (): Promise<boolean> => {
      await ask(admin, "CHECKPOINT");
      const [row] = await ask<{ found: boolean }>(
        admin,
        `SELECT position(convert_to('under the third stone', 'UTF8') IN
           pg_read_binary_file(pg_relation_filepath('agno_chat.messages'))) > 0 AS found`,
      );
      return row?.found === true;
    };
    const { tables } = await proven(url);
    expect(tables).toContain("agno_chat.messages");
    expect(await isOnDisk()).toBe(true);
    await ask(admin, `VACUUM FULL ${tables.join(", ")}`);
    expect(await isOnDisk()).toBe(false);
  });
});
