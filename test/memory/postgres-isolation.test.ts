import { beforeAll, describe, expect, it } from "vitest";
import { PostgresMemory } from "../../src/memory/postgres.js";
import { initPostgres } from "../../src/memory/stores/postgres/admin.js";
import { userMessage } from "../../src/messages.js";
import { ask, asRole, connected, newDatabase, newRole, type Role } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";

const server = (await postgresUrl()) ?? "";

/** Functions that somebody forgot a condition in. */
const CARELESS = `
  SET LOCAL ROLE agno_chat_owner;
  CREATE FUNCTION agno_chat.careless_read(p_user text) RETURNS SETOF text
  LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    PERFORM set_config('agno_chat.user_id', p_user, true);
    RETURN QUERY SELECT m.user_id FROM agno_chat.messages m;
  END $$;
  CREATE FUNCTION agno_chat.careless_delete(p_user text) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    PERFORM set_config('agno_chat.user_id', p_user, true);
    DELETE FROM agno_chat.messages; DELETE FROM agno_chat.states;
    DELETE FROM agno_chat.sessions; DELETE FROM agno_chat.users;
  END $$;
  CREATE FUNCTION agno_chat.careless_write(p_user text, p_other text) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    PERFORM set_config('agno_chat.user_id', p_user, true);
    INSERT INTO agno_chat.users VALUES (p_other, 1, 1, 0, 0, 0);
  END $$;
  GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA agno_chat TO PUBLIC;`;

const USERS = ["alice", "bob", "carol"];

describe.skipIf(server === "")("row security of a PostgreSQL memory", () => {
  let url: string;
  let caller: Role;

  beforeAll(async () => {
    url = await newDatabase(server);
    caller = await newRole(server);
    await initPostgres(url, { grantTo: [caller.name] });
    const memory = new PostgresMemory(url);
    for (const user of USERS)
      await memory.add(userMessage(`of ${user}`), user, { state: { user } });
    await memory.close();
    await ask(url, CARELESS);
  });

  it("shows one user to a function without a condition, even to a superuser", async () => {
    for (const role of [url, asRole(url, caller)])
      for (const user of USERS)
        expect(
          await ask(role, "SELECT * FROM agno_chat.careless_read($1) AS name", [user]),
        ).toEqual([{ name: user }]);
    expect(await ask(url, "SELECT * FROM agno_chat.careless_read('') AS name")).toEqual([]);
  });

  it("lets a function without a condition delete one user, even for a superuser", async () => {
    const left = "SELECT user_id FROM agno_chat.messages ORDER BY user_id";
    await ask(url, "SELECT agno_chat.careless_delete('bob')");
    expect(await ask(url, left)).toEqual([{ user_id: "alice" }, { user_id: "carol" }]);
    expect(await ask(url, "SELECT user_id FROM agno_chat.users ORDER BY user_id")).toHaveLength(2);
  });

  it("lets no function write another user's row", async () => {
    await expect(ask(url, "SELECT agno_chat.careless_write('alice', 'bob')")).rejects.toMatchObject(
      { code: "42501" },
    );
  });

  it("gives a role that may call the functions no privilege on a table", async () => {
    const role = asRole(url, caller);
    for (const table of await tablesOf(url))
      for (const sql of [
        `SELECT FROM agno_chat.${table}`,
        `DELETE FROM agno_chat.${table}`,
        `TRUNCATE agno_chat.${table}`,
        `ALTER TABLE agno_chat.${table} DISABLE ROW LEVEL SECURITY`,
      ])
        await expect(ask(role, sql)).rejects.toMatchObject({ code: "42501" });
  });

  it("covers every table that has a user id", async () => {
    const rows = await ask<{ relname: string }>(
      url,
      `SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS is_forced,
         (SELECT array_agg(p.policyname::text || ' ' || p.cmd ORDER BY p.policyname)
          FROM pg_policies p WHERE p.schemaname = 'agno_chat' AND p.tablename = c.relname) AS policies
       FROM pg_class c WHERE c.relnamespace = 'agno_chat'::regnamespace AND c.relkind IN ('r', 'p')
         AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'user_id')
       ORDER BY c.relname`,
    );
    const own = { is_forced: true, policies: ["own ALL"] };
    expect(rows).toEqual([
      { relname: "attachment_uses", ...own },
      { relname: "attachments", ...own },
      { relname: "leases", is_forced: true, policies: ["left_behind ALL", "own ALL"] },
      { relname: "limits", is_forced: true, policies: ["list SELECT", "own ALL"] },
      { relname: "messages", ...own },
      { relname: "runs", is_forced: true, policies: ["left_behind ALL", "own ALL"] },
      { relname: "search_blocks", ...own },
      { relname: "search_parts", ...own },
      { relname: "sessions", ...own },
      { relname: "spending", is_forced: true, policies: ["left_behind ALL", "own ALL"] },
      { relname: "state_changes", ...own },
      { relname: "states", ...own },
      // A token is found by its id before its user is known, and listed by who runs the server.
      { relname: "tokens", is_forced: true, policies: ["listed SELECT", "named ALL", "own ALL"] },
      { relname: "users", is_forced: true, policies: ["list SELECT", "own ALL"] },
    ]);
    // Whatever has no user holds nobody's text.
    expect(
      (await tablesOf(url)).filter((each) => !rows.some(({ relname }) => relname === each)),
    ).toEqual(["clears", "generations", "meta"]);
  });

  it("runs every function as the owner of the schema, with a fixed search path", async () => {
    const rows = await ask(
      url,
      `SELECT p.proname FROM pg_proc p
       WHERE p.pronamespace = 'agno_chat'::regnamespace AND p.proname NOT LIKE 'careless%' AND NOT (
         p.prosecdef AND p.provolatile = 'v'
         AND 'search_path=pg_catalog, pg_temp' = ANY (p.proconfig)
         AND pg_get_userbyid(p.proowner) = 'agno_chat_owner')`,
    );
    expect(rows).toEqual([]);
  });

  it("forgets the user at the end of the transaction", async () => {
    await connected(url, async (client) => {
      await client.query("SELECT agno_chat.read_v1('alice', 'default', 1)");
      await client.query("SELECT * FROM agno_chat.users_v1('', 10)");
      const { rows } = await client.query(
        `SELECT current_setting('agno_chat.user_id', true) AS name,
                current_setting('agno_chat.list', true) AS list`,
      );
      expect(rows).toEqual([{ name: "", list: "" }]);
    });
  });
});

async function tablesOf(url: string): Promise<string[]> {
  const rows = await ask<{ relname: string }>(
    url,
    `SELECT relname FROM pg_class
     WHERE relnamespace = 'agno_chat'::regnamespace AND relkind = 'r' ORDER BY relname`,
  );
  return rows.map(({ relname }) => relname);
}
