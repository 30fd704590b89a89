import { randomUUID } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { PostgresMemory } from "../../src/memory/postgres.js";
import { userMessage } from "../../src/messages.js";
import { Cli } from "../support/cli.js";
import { ask, asRole, newDatabase, newRole, type Role } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";

const server = await postgresUrl();

/** The lines of `store check` that begin with this status and name. */
const lines = (stdout: string, status: string): string[] =>
  stdout
    .split("\n")
    .filter((line) => line.startsWith(`${status} `))
    .map((line) => line.split(/\s+/)[1] as string);

describe.skipIf(server === undefined)("store init", () => {
  it("makes the schema, and lets a role call its functions and read no table", async () => {
    const [cli, database, role] = [
      new Cli(),
      await newDatabase(server as string),
      await newRole(server as string),
    ];
    const made = await cli.run(["store", "init", database, "--grant", role.name]);
    expect(made).toMatchObject({ code: 0, stderr: "" });
    expect(made.stdout).toContain("Made the schema agno_chat, which belongs to agno_chat_owner");
    const memory = new PostgresMemory(asRole(database, role));
    await memory.add(userMessage("hi"), "alice");
    expect(await memory.size("alice")).toBe(1);
    await memory.close();
    await expect(ask(asRole(database, role), "SELECT * FROM agno_chat.messages")).rejects.toThrow(
      "permission denied",
    );
  });

  it("leaves what is there as it is, and only lets more roles in", async () => {
    const [cli, database, role] = [
      new Cli(),
      await newDatabase(server as string),
      await newRole(server as string),
    ];
    await cli.run(["store", "init", database]);
    const memory = new PostgresMemory(database);
    await memory.add(userMessage("hi"), "alice");
    await memory.close();
    const again = await cli.json(["store", "init", database, "--grant", role.name]);
    expect(again).toMatchObject({ ok: true, created: false, granted: [role.name] });
    expect(
      await cli.json(["size", "-u", "alice", "--store", asRole(database, role)]),
    ).toMatchObject({
      messages: 1,
    });
  });

  const byAdministrator = async (database: string, role: Role): Promise<void> => {
    const cli = new Cli();
    const refused = await cli.run(["store", "init", asRole(database, role)]);
    expect(refused).toMatchObject({ code: 3 });
    expect(refused.stderr).toContain("Let an administrator run the SQL on stdout");
    expect(refused.stdout + refused.stderr).not.toContain(role.password);
    await ask(database, refused.stdout);
    const checked = await cli.run(["store", "check", asRole(database, role)]);
    expect(lines(checked.stdout, "ok")).toContain("login");
    expect(checked).toMatchObject({ code: 0 });
  };

  it("prints what an administrator must run where the role may not make the schema", async () => {
    const [database, role] = [await newDatabase(server as string), await newRole(server as string)];
    await byAdministrator(database, role);
  });

  it("prints no more than the grants where the schema is there", async () => {
    const [database, role] = [await newDatabase(server as string), await newRole(server as string)];
    await new Cli().run(["store", "init", database]);
    await byAdministrator(database, role);
  });

  it("prints SQL that a role with CREATEROLE can run, and leaves it no member of the owner", async () => {
    const admin = await newRole(server as string, "CREATEROLE");
    const database = await newDatabase(server as string, { owner: admin.name });
    const role = await newRole(server as string);
    // Only its maker may give it away, so the script makes another role the owner.
    await new Cli().run(["store", "init", await newDatabase(server as string)]);
    await byAdministrator(asRole(database, admin), role);
    const members = await ask(
      database,
      "SELECT 1 FROM pg_auth_members WHERE set_option AND member = $1::regrole",
      [admin.name],
    );
    expect(members).toEqual([]);
  });

  it("prints grants that the owner can run, who is no superuser, whatever its name", async () => {
    const owner = { name: `o'w$$n"er ${randomUUID()}`, password: "secret" };
    const quoted = `"${owner.name.replaceAll('"', '""')}"`;
    await ask(server as string, `CREATE ROLE ${quoted} LOGIN PASSWORD 'secret'`);
    const [database, role] = [await newDatabase(server as string), await newRole(server as string)];
    await ask(
      server as string,
      `ALTER DATABASE ${new URL(database).pathname.slice(1)} OWNER TO ${quoted}`,
    );
    const made = await new Cli().json(["store", "init", asRole(database, owner)]);
    expect(made).toMatchObject({ ok: true, created: true, owner: owner.name });
    await byAdministrator(asRole(database, owner), role);
    const migrated = await new Cli().json(["store", "migrate", asRole(database, owner)]);
    expect(migrated).toMatchObject({ ok: true });
  });

  it("lets an administrator grant and migrate for an owner of any name", async () => {
    const owner = `o'w$$n"er ${randomUUID()}`;
    const quoted = `"${owner.replaceAll('"', '""')}"`;
    const admin = await newRole(server as string, "CREATEROLE");
    await ask(asRole(server as string, admin), `CREATE ROLE ${quoted}`);
    const [database, role] = [await newDatabase(server as string), await newRole(server as string)];
    await ask(database, `CREATE SCHEMA agno_chat AUTHORIZATION ${quoted}`);
    const init = ["store", "init", asRole(database, admin), "--grant", role.name];
    expect(await new Cli().json(init)).toMatchObject({ ok: true, created: true, owner });
    await byAdministrator(asRole(database, admin), await newRole(server as string));
    const migrated = await new Cli().json(["store", "migrate", asRole(database, admin)]);
    expect(migrated).toMatchObject({ ok: true });
  });

  it("prints with --print-sql what makes the same schema, and connects to nothing", async () => {
    const cli = new Cli();
    const { stdout, code } = await cli.run([
      ...["store", "init", "postgres://app:secret@192.0.2.1/chat?sslmode=disable", "--print-sql"],
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain('GRANT USAGE ON SCHEMA agno_chat TO "app"');
    expect(stdout).not.toContain("secret");
    const [printed, made] = [
      await newDatabase(server as string),
      await newDatabase(server as string),
    ];
    await ask(printed, stdout.replaceAll('"app"', "postgres"));
    await cli.run(["store", "init", made]);
    const dump = `SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid), p.proacl::text, p.proowner
                  FROM pg_proc p WHERE p.pronamespace = 'agno_chat'::regnamespace ORDER BY 1`;
    expect(await ask(printed, dump)).toEqual(await ask(made, dump));
  });

  it("prints with --print-sql grants for the role of the environment when the URL names none", async () => {
    const print = async (user: string): Promise<string> => {
      vi.stubEnv("PGUSER", user);
      const cli = new Cli();
      const args = ["store", "init", "postgres:///chat", "--print-sql", "--grant", "team"];
      const { stdout } = await cli.run(args);
      vi.unstubAllEnvs();
      return stdout;
    };
    const grantTo = (role: string): string => `GRANT USAGE ON SCHEMA agno_chat TO "${role}"`;
    const printed = await print("app");
    for (const role of ["app", "team"]) expect(printed).toContain(grantTo(role));
  });

  it("refuses a role that does not exist, and the word public, which means everybody", async () => {
    const database = await newDatabase(server as string);
    for (const name of ["nobody_here", "public"])
      expect(await new Cli().run(["store", "init", database, "--grant", name])).toMatchObject({
        code: 3,
        stdout: "",
        stderr: expect.stringContaining(`There is no role "${name}" to grant access to.`),
      });
  });

  it("leaves a schema of that name that is not ours as it is", async () => {
    const database = await newDatabase(server as string);
    await ask(database, "CREATE SCHEMA agno_chat CREATE TABLE notes (text text)");
    for (const command of ["init", "check"])
      expect(await new Cli().run(["store", command, database])).toMatchObject({
        code: 4,
        stderr: expect.stringContaining("is not an agno-chat memory"),
      });
  });

  it("refuses what is no PostgreSQL database, and a URL behind --grant without quoting it", async () => {
    const cli = new Cli();
    expect(await cli.run(["store", "init"])).toMatchObject({ code: 2, stdout: "" });
    const { code, stderr } = await cli.run([
      "store",
      "init",
      "--grant",
      "app",
      "postgres://u:secret@h/d",
    ]);
    expect({ code, stderr: stderr.includes("secret") }).toEqual({ code: 2, stderr: false });
    expect(stderr).toContain("Put the URL first");
  });
});

describe.skipIf(server === undefined)("store check of a PostgreSQL database", () => {
  const prepared = async (): Promise<{ database: string; own: string }> => {
    const [database, role] = [await newDatabase(server as string), await newRole(server as string)];
    await new Cli().run(["store", "init", database, "--grant", role.name]);
    return { database, own: asRole(database, role) };
  };

  it("says what protects it, and warns of a login that could go around it", async () => {
    const { database, own } = await prepared();
    const cli = new Cli();
    const ofCaller = await cli.run(["store", "check", own]);
    expect(ofCaller).toMatchObject({ code: 0, stderr: "" });
    expect(lines(ofCaller.stdout, "ok")).toEqual(
      expect.arrayContaining([
        "row",
        "tables",
        "functions",
        "owner",
        "login",
        "callers",
        "encryption",
      ]),
    );
    // The server of the tests does not wait for its disk.
    expect(lines(ofCaller.stdout, "WARN")).toEqual(["durability"]);
    const ofSuperuser = await cli.run(["store", "check", database]);
    expect(ofSuperuser.code).toBe(0);
    expect(lines(ofSuperuser.stdout, "WARN")).toEqual(["login", "durability"]);
    for (const { stdout } of [ofCaller, ofSuperuser])
      for (const url of [own, database]) expect(stdout).not.toContain(new URL(url).password);
  });

  it.each([
    ["tables", "ALTER TABLE agno_chat.messages NO FORCE ROW LEVEL SECURITY"],
    ["tables", "ALTER TABLE agno_chat.states DISABLE ROW LEVEL SECURITY"],
    ["tables", "CREATE POLICY all_of_them ON agno_chat.messages USING (true)"],
    ["functions", "ALTER FUNCTION agno_chat.users_v1 OWNER TO postgres"],
    ["functions", "ALTER FUNCTION agno_chat.read_v1 SECURITY INVOKER"],
    ["callers", "GRANT USAGE ON SCHEMA agno_chat TO PUBLIC"],
  ])("calls it unsafe, with exit code 5, when %s are open: %s", async (about, sql) => {
    const { database, own } = await prepared();
    await ask(database, sql);
    const { code, stdout } = await new Cli().run(["store", "check", own]);
    expect(lines(stdout, "UNSAFE")).toContain(about);
    expect(stdout).toContain("NOT SAFE");
    expect(code).toBe(5);
    expect(await new Cli().json(["store", "check", own])).toMatchObject({ ok: false });
  });

  it("calls it unsafe when row security does not bind the owner", async () => {
    const { database, own } = await prepared();
    const strong = await newRole(server as string, "BYPASSRLS");
    await ask(database, `REASSIGN OWNED BY agno_chat_owner TO ${strong.name}`);
    await ask(database, `GRANT USAGE ON SCHEMA agno_chat TO ${new URL(own).username}`);
    const { code, stdout } = await new Cli().run(["store", "check", own]);
    expect(lines(stdout, "UNSAFE")).toEqual(expect.arrayContaining(["row", "owner"]));
    expect(code).toBe(5);
  });

  it("makes nothing where nothing is", async () => {
    const database = await newDatabase(server as string);
    expect(await new Cli().run(["store", "check", database])).toMatchObject({
      code: 3,
      stdout: "",
    });
    expect(await ask(database, "SELECT 1 FROM pg_namespace WHERE nspname = 'agno_chat'")).toEqual(
      [],
    );
  });
});

describe("store check of a memory file", () => {
  it("finds no fault in a file that agno-chat made, and needs no argument", async () => {
    const cli = new Cli();
    await cli.run(["ask", "hi", "--no-stdin"]);
    const { code, stdout } = await cli.run(["store", "check"]);
    expect({ code, safe: stdout.endsWith("Safe.\n") }).toEqual({ code: 0, safe: true });
    expect(lines(stdout, "ok")).toEqual([
      "file",
      "folder",
      "integrity",
      "rows",
      "durability",
      "version",
    ]);
  });

  it.skipIf(process.platform === "win32")(
    "calls a file unsafe that others can read, and leaves it so",
    async () => {
      const cli = new Cli();
      await cli.run(["ask", "hi", "--no-stdin"]);
      chmodSync(join(cli.home, "chat.db"), 0o644);
      for (let time = 0; time < 2; time += 1) {
        const { code, stdout } = await cli.run(["store", "check"]);
        expect(code).toBe(5);
        expect(lines(stdout, "UNSAFE")).toEqual(["file"]);
        expect(stdout).toContain("chmod 600");
      }
    },
  );

  it("makes no file where there is none", async () => {
    const cli = new Cli();
    const path = join(cli.home, "other.db");
    for (let time = 0; time < 2; time += 1)
      expect(await cli.run(["store", "check", `sqlite:${path}`])).toMatchObject({
        code: 3,
        stdout: "",
      });
  });

  it("calls no file safe that nothing can be stored in", async () => {
    const cli = new Cli();
    const path = join(cli.home, "byte.db");
    writeFileSync(path, "x", { mode: 0o600 });
    const { code, stdout, stderr } = await cli.run(["store", "check", `sqlite:${path}`]);
    expect([code, stdout]).toEqual([4, ""]);
    expect(stderr).toContain("is not an agno-chat memory; it was left unchanged");
  });
});

describe("store migrate", () => {
  it.skipIf(server === undefined)(
    "says that a schema is current, and who may change it",
    async () => {
      const [database, role] = [
        await newDatabase(server as string),
        await newRole(server as string),
      ];
      const cli = new Cli();
      expect(await cli.run(["store", "migrate", database])).toMatchObject({ code: 3, stdout: "" });
      await cli.run(["store", "init", database, "--grant", role.name]);
      expect(await cli.run(["store", "migrate", database])).toEqual({
        ...{
          code: 0,
          stdout: expect.stringMatching(/^The schema is current: version \d+\.\n$/),
          stderr: "",
        },
      });
      const refused = await cli.run(["store", "migrate", asRole(database, role)]);
      expect(refused).toMatchObject({ code: 3, stdout: "" });
      expect(refused.stderr).toContain("This role may not change the schema.");
    },
  );

  it("upgrades a memory file as opening it does", async () => {
    const cli = new Cli();
    await cli.run(["ask", "hi", "--no-stdin"]);
    expect((await cli.run(["store", "migrate"])).stdout).toContain("The schema is current");
    expect(await cli.run(["store", "migrate", `sqlite:${join(cli.home, "no.db")}`])).toMatchObject({
      code: 3,
    });
  });
});

describe("store check --conformance", () => {
  it.skipIf(server === undefined)(
    "keeps every rule on PostgreSQL, and leaves nothing",
    async () => {
      const database = await newDatabase(server as string);
      const { code, stdout } = await new Cli().run(["store", "check", database, "--conformance"]);
      expect(lines(stdout, "FAILED")).toEqual([]);
      expect(stdout).toMatch(/\d\d rules kept, 0 broken\.\n$/);
      expect(code).toBe(0);
      for (const table of ["users", "tokens", "limits"])
        expect(await ask(database, `SELECT user_id FROM agno_chat.${table}`)).toEqual([]);
    },
  );

  it("touches no store that holds a user", async () => {
    const cli = new Cli();
    await cli.run(["ask", "hi", "--no-stdin"]);
    const { code, stderr } = await cli.run(["store", "check", "--conformance"]);
    expect(code).toBe(2);
    expect(stderr).toContain("The store holds 1 user; nothing was done.");
    expect((await cli.json(["size"])).messages).toBe(2);
  });

  it.skipIf(server === undefined)("names the rule that a store breaks", async () => {
    const database = await newDatabase(server as string);
    await new Cli().run(["store", "init", database]);
    await ask(
      database,
      `ALTER TABLE agno_chat.users ALTER next_message_id SET DEFAULT 1;
       CREATE FUNCTION agno_chat.spoil() RETURNS trigger LANGUAGE plpgsql AS
         'BEGIN NEW.next_message_id := NEW.next_message_id + 1; RETURN NEW; END';
       CREATE TRIGGER spoil BEFORE UPDATE ON agno_chat.users FOR EACH ROW EXECUTE FUNCTION agno_chat.spoil()`,
    );
    const { code, stdout } = await new Cli().run(["store", "check", database, "--conformance"]);
    expect(code).toBe(5);
    expect(stdout).toContain("FAILED numbers messages from 1 across all sessions");
  });
});

it("names the store commands, and the nearest one", async () => {
  const cli = new Cli();
  expect((await cli.run(["store"])).stderr).toContain("Known: init, check, migrate, salvage, copy");
  expect((await cli.run(["store", "chek"])).stderr).toContain("Did you mean check?");
  expect((await cli.run(["store", "--help"])).stdout).toContain("init [url]");
});
