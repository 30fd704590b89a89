import { describe, expect, it } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { PostgresMemory } from "../../src/memory/postgres.js";
import { initPostgres, migratePostgres } from "../../src/memory/stores/postgres/admin.js";
import { MIGRATIONS } from "../../src/memory/stores/postgres/schema.js";
import { hashesOf, userMessage } from "../../src/messages.js";
import { DemoModel } from "../../src/models/demo.js";
import { ask, asRole, newDatabase, newRole } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";

const server = await postgresUrl();

const latest = MIGRATIONS.length;

/** A step that changes rows and adds a table and a function. */
const STEP = `
  ALTER TABLE agno_chat.users ADD COLUMN note text;
  UPDATE agno_chat.users SET note = 'old';
  CREATE TABLE agno_chat.notes (user_id text COLLATE "C" PRIMARY KEY);
  CREATE FUNCTION agno_chat.note_v2() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 2';`;

describe.skipIf(server === undefined)("migrating a PostgreSQL schema", () => {
  async function prepared() {
    const [database, role] = [await newDatabase(server as string), await newRole(server as string)];
    await initPostgres(database, { grantTo: [role.name] });
    const memory = new PostgresMemory(database);
    for (const user of ["alice", "bob"]) await memory.add(userMessage("hi"), user);
    await memory.close();
    return { database, own: asRole(database, role) };
  }

  it("applies the missing steps to every user's rows, and lets the same roles call new functions", async () => {
    const { database, own } = await prepared();
    expect(await migratePostgres(database, [...MIGRATIONS, STEP])).toEqual({
      from: latest,
      to: latest + 1,
    });
    expect(await ask(database, "SELECT note FROM agno_chat.users")).toEqual([
      { note: "old" },
      { note: "old" },
    ]);
    expect(await ask(own, "SELECT agno_chat.note_v2() AS two")).toEqual([{ two: 2 }]);
    const open = await ask(
      database,
      `SELECT relname FROM pg_class WHERE relnamespace = 'agno_chat'::regnamespace AND relkind = 'r'
       AND relname NOT IN ('meta', 'generations', 'clears') AND NOT relforcerowsecurity`,
    );
    expect(open).toEqual([]);
    expect(await migratePostgres(database, [...MIGRATIONS, STEP])).toEqual({
      from: latest + 1,
      to: latest + 1,
    });
  });

  it("is undone completely if a step would lose a row", async () => {
    const { database } = await prepared();
    const lossy = "DELETE FROM agno_chat.messages WHERE user_id = 'bob'";
    await expect(migratePostgres(database, [...MIGRATIONS, STEP, lossy])).rejects.toMatchObject({
      code: "STORE_FAILED",
      message: expect.stringContaining("how many rows messages has; nothing was changed"),
    });
    expect(await ask(database, "SELECT version FROM agno_chat.meta")).toEqual([
      { version: latest },
    ]);
    const memory = new PostgresMemory(database);
    expect(await memory.size("bob")).toBe(1);
    await memory.close();
  });

  it("refuses a newer schema, and a role that may not change it", async () => {
    const { database, own } = await prepared();
    await expect(migratePostgres(own, [...MIGRATIONS, STEP])).rejects.toMatchObject({
      code: "STORE_NOT_READY",
    });
    await migratePostgres(database, [...MIGRATIONS, STEP]);
    await expect(migratePostgres(database)).rejects.toMatchObject({ code: "STORE_TOO_NEW" });
  });

  it("is named as the next step when an older schema is opened", async () => {
    const { database, own } = await prepared();
    await ask(database, "UPDATE agno_chat.meta SET version = 0");
    const memory = new PostgresMemory(own);
    await expect(memory.size("bob")).rejects.toMatchObject({
      code: "STORE_NOT_READY",
      hint: expect.stringContaining("store migrate"),
    });
    await memory.close();
  });

  /** Makes the schema what version 4 was. */
  const toVersion4 = (database: string) =>
    ask(
      database,
      `DROP INDEX agno_chat.messages_by_id, agno_chat.sessions_by_key;
       DROP FUNCTION agno_chat.write_after_v1, agno_chat.sessions_v2, agno_chat.counts_v1,
         agno_chat.session_names_v1, agno_chat.user_page_v1, agno_chat.sessions_by_id_v1, agno_chat.kept_v1,
         agno_chat.clear_before_v1, agno_chat.session_scope;
       DROP TRIGGER drop_search_blocks ON agno_chat.messages;
       DROP TRIGGER drop_all_search_blocks ON agno_chat.messages;
       DROP FUNCTION agno_chat.drop_search_blocks, agno_chat.drop_all_search_blocks,
         agno_chat.has_message_between, agno_chat.search_gap_v1, agno_chat.add_search_block_v1,
         agno_chat.search_blocks_v1, agno_chat.search_parts_v1, agno_chat.search_messages_v1;
       DROP TABLE agno_chat.search_blocks, agno_chat.search_parts;
       DROP TRIGGER drop_unused_attachments ON agno_chat.messages;
       DROP FUNCTION agno_chat.drop_unused_attachments, agno_chat.attachments_v1,
         agno_chat.attach_v1, agno_chat.write_attached_v1, agno_chat.fork_v2;
       DROP TABLE agno_chat.attachments, agno_chat.attachment_uses;
       UPDATE agno_chat.meta SET version = 4`,
    );

  /** Makes the schema what version 3 was. */
  async function toVersion3(database: string): Promise<void> {
    await toVersion4(database);
    await ask(
      database,
      `DROP TRIGGER note_state_change ON agno_chat.states;
       DROP TRIGGER forget_state_changes ON agno_chat.sessions;
       DROP TRIGGER forget_all_state_changes ON agno_chat.sessions;
       DROP FUNCTION agno_chat.note_state_change, agno_chat.forget_state_changes,
         agno_chat.end_import_v1, agno_chat.undo_v1, agno_chat.fork_v1;
       DROP TABLE agno_chat.state_changes;
       ALTER TABLE agno_chat.sessions DROP COLUMN undo_after;
       UPDATE agno_chat.meta SET version = 3`,
    );
  }

  /** Makes the schema what version 2 was. */
  async function toVersion2(database: string): Promise<void> {
    await toVersion3(database);
    await ask(
      database,
      `DROP FUNCTION agno_chat.insert_token_v1, agno_chat.token_v1, agno_chat.tokens_v1,
         agno_chat.note_token_use_v1, agno_chat.delete_token_v1;
       DROP TABLE agno_chat.tokens;
       DROP TRIGGER sweep_spending ON agno_chat.sessions;
       DROP FUNCTION agno_chat.sweep_spending, agno_chat.use_v1, agno_chat.admit_run_v1,
         agno_chat.admit_leased_v1, agno_chat.renew_run_v1, agno_chat.settle_run_v1,
         agno_chat.write_run_v1, agno_chat.set_limits_v1, agno_chat.remove_limits_v1,
         agno_chat.limits_v1;
       DROP TABLE agno_chat.limits, agno_chat.spending, agno_chat.runs;
       UPDATE agno_chat.meta SET version = 2`,
    );
  }

  it("takes files from now on, in a memory of the version before that", async () => {
    const { database, own } = await prepared();
    await toVersion4(database);
    await migratePostgres(database);
    const memory = new PostgresMemory(own);
    const agent = new Agent({ model: new DemoModel(), memory });
    const attachments = [{ name: "notes.txt", content: "Oslo" }];
    const { messages } = await agent.run("Look", { userId: "alice", attachments });
    const contents = await memory.attachments?.read("alice", hashesOf(messages));
    expect([...(contents?.values() ?? [])].map(String)).toEqual(["Oslo"]);
    await memory.close();
  });

  it("takes back what is said from now on, in a memory of the version before that", async () => {
    const { database, own } = await prepared();
    await toVersion3(database);
    await ask(
      database,
      `SELECT agno_chat.write_v1('alice', 'default', 1, gen_random_uuid(), false, NULL, '{}', '{}',
         '{}', NULL, '"new"', '{user}', '{"\\"run\\""}', '{1}', '{10}', '{3}',
         ARRAY['{"role":"user","content":"old"}'], '{"\\"n\\""}', '{1}')`,
    );
    await migratePostgres(database);
    const memory = new PostgresMemory(own);
    await memory.add([userMessage("new")], "alice", { state: { n: 2 } });
    await expect(memory.edits?.undo("alice", { runs: 2 })).rejects.toThrow("is not known");
    expect(await memory.edits?.undo("alice")).toEqual({ runs: 1, messages: 1 });
    expect({ ...(await memory.getState("alice")) }).toEqual({ n: 1 });
    await memory.close();
  });

  it("adds tokens and limits to a memory of the version before them", async () => {
    const { database, own } = await prepared();
    await toVersion2(database);
    expect(await migratePostgres(database)).toEqual({ from: 2, to: latest });
    const memory = new PostgresMemory(own);
    const created = await memory.tokens?.create("alice");
    expect(await memory.tokens?.check(created?.token ?? "")).toMatchObject({ userId: "alice" });
    const agent = new Agent({ model: new DemoModel(), memory, limits: { requestsPerMinute: 0 } });
    const refused = agent.run("hi", { userId: "alice" });
    await expect(refused).rejects.toMatchObject({ code: "RATE_LIMITED" });
    await memory.close();
  });

  it("adds leases to a memory of the version before them, which keeps working", async () => {
    const { database, own } = await prepared();
    await toVersion2(database);
    await ask(
      database,
      `DROP TRIGGER sweep_leases ON agno_chat.sessions;
       DROP FUNCTION agno_chat.sweep_leases, agno_chat.take_lease_v1, agno_chat.renew_lease_v1,
         agno_chat.write_leased_v1, agno_chat.release_lease_v1;
       DROP TABLE agno_chat.leases;
       UPDATE agno_chat.meta SET version = 1`,
    );
    expect(await migratePostgres(database)).toEqual({ from: 1, to: latest });
    const memory = new PostgresMemory(own);
    const agent = new Agent({ model: new DemoModel(), memory, lease: true });
    await agent.run("My name is Alice", { userId: "alice" });
    expect(await memory.size("alice")).toBe(3);
    await memory.close();
  });
});
