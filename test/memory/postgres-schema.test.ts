import { describe, expect, it } from "vitest";
import { PostgresMemory } from "../../src/memory/postgres.js";
import { initPostgres } from "../../src/memory/stores/postgres/admin.js";
import { MIGRATIONS } from "../../src/memory/stores/postgres/schema.js";
import { userMessage } from "../../src/messages.js";
import { ask, asRole, newDatabase, newRole } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";

const server = (await postgresUrl()) ?? "";

const codeOf = (url: string): Promise<unknown> =>
  used(url).then(
    () => "OK",
    ({ code }) => code,
  );

/** Opens the memory, and adds a message. */
async function used(url: string): Promise<void> {
  const memory = new PostgresMemory(url);
  try {
    await memory.add(userMessage("hi"), "alice");
  } finally {
    await memory.close();
  }
}

describe.skipIf(server === "")("the schema of a PostgreSQL memory", () => {
  it("is created once if six open it at the same time", async () => {
    const url = await newDatabase(server);
    await Promise.all(Array.from({ length: 6 }, () => used(url)));
    const [row] = await ask(url, "SELECT version FROM agno_chat.meta");
    expect(row).toEqual({ version: MIGRATIONS.length });
    expect(await ask(url, "SELECT messages FROM agno_chat.users")).toEqual([{ messages: "6" }]);
  });

  it("can be created in six databases of one server at the same time", async () => {
    const urls = await Promise.all(Array.from({ length: 6 }, () => newDatabase(server)));
    await Promise.all(urls.map(used));
  });

  it("belongs to a role that cannot log in, if its creator may create roles", async () => {
    for (const attributes of ["SUPERUSER", "CREATEROLE"]) {
      const admin = await newRole(server, attributes);
      const url = await newDatabase(server, { owner: admin.name });
      await used(asRole(url, admin));
      const [owner] = await ask(
        url,
        `SELECT o.rolname, o.rolsuper, o.rolbypassrls, o.rolcanlogin, o.rolname = $1 OR EXISTS (
           SELECT FROM pg_auth_members m WHERE m.roleid = o.oid
             AND m.member = $1::regrole
             -- Before version 16, a member was always one in full.
             AND (coalesce(to_jsonb(m) ->> 'inherit_option', 'true') = 'true'
               OR to_jsonb(m) ->> 'set_option' = 'true')) AS is_admin
         FROM pg_namespace n JOIN pg_roles o ON o.oid = n.nspowner WHERE nspname = 'agno_chat'`,
        [admin.name],
      );
      expect(owner).toEqual({
        rolname: expect.stringMatching(/^agno_chat_owner(_\d+)?$/),
        rolsuper: false,
        rolbypassrls: false,
        rolcanlogin: false,
        is_admin: false,
      });
    }
  });

  it("is created in an empty schema that an administrator created for the role", async () => {
    const role = await newRole(server);
    const url = await newDatabase(server);
    await ask(url, `CREATE SCHEMA agno_chat AUTHORIZATION ${role.name}`);
    expect(await codeOf(asRole(url, role))).toBe("OK");
  });

  it("is reported with a next step if the role may neither create nor use it", async () => {
    const role = await newRole(server);
    const admin = await newRole(server, "CREATEROLE");
    const url = await newDatabase(server, { owner: admin.name });
    await expect(used(asRole(url, role))).rejects.toMatchObject({
      code: "STORE_NOT_READY",
      hintId: "init-store",
    });
    await initPostgres(asRole(url, admin));
    await expect(used(asRole(url, role))).rejects.toMatchObject({
      code: "STORE_NOT_READY",
      hintId: "init-store",
    });
    await initPostgres(asRole(url, admin), { grantTo: [role.name] });
    await used(asRole(url, role));
  });

  it("is refused and left unchanged if it is not a memory or has a newer version", async () => {
    const foreign = await newDatabase(server);
    await ask(foreign, "CREATE SCHEMA agno_chat; CREATE TABLE agno_chat.things (name text)");
    expect(await codeOf(foreign)).toBe("STORE_FOREIGN");
    const tables = "SELECT relname FROM pg_class WHERE relnamespace = 'agno_chat'::regnamespace";
    expect(await ask(foreign, tables)).toEqual([{ relname: "things" }]);

    const late = await newDatabase(server);
    await used(late);
    await ask(late, "UPDATE agno_chat.meta SET version = 99");
    expect(await codeOf(late)).toBe("STORE_TOO_NEW");
    expect(await ask(late, "SELECT messages FROM agno_chat.users")).toEqual([{ messages: "1" }]);
  });

  it("is refused if row security does not apply to its owner", async () => {
    const reckless = await newRole(server, "BYPASSRLS");
    const url = await newDatabase(server, { owner: reckless.name });
    expect(await codeOf(asRole(url, reckless))).toBe("STORE_UNSAFE");
    expect(await ask(url, "SELECT FROM pg_namespace WHERE nspname = 'agno_chat'")).toEqual([]);

    await ask(url, `ALTER ROLE ${reckless.name} NOBYPASSRLS`);
    expect(await codeOf(asRole(url, reckless))).toBe("OK");
    for (const change of [
      `ALTER ROLE ${reckless.name} BYPASSRLS`,
      `ALTER ROLE ${reckless.name} SUPERUSER`,
    ]) {
      await ask(url, change);
      expect(await codeOf(url)).toBe("STORE_UNSAFE");
      await ask(url, `ALTER ROLE ${reckless.name} NOBYPASSRLS NOSUPERUSER`);
    }
    await ask(url, "ALTER TABLE agno_chat.messages NO FORCE ROW LEVEL SECURITY");
    expect(await codeOf(url)).toBe("STORE_UNSAFE");
  });

  it("is refused in a database whose encoding cannot store every text", async () => {
    const name = `latin_${Date.now()}`;
    await ask(server, `CREATE DATABASE ${name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`);
    const url = new URL(server);
    url.pathname = `/${name}`;
    expect(await codeOf(url.href)).toBe("STORE_NOT_READY");
  });
});
