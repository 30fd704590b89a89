import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { PostgresMemory } from "../../src/memory/postgres.js";
import { initPostgres } from "../../src/memory/stores/postgres/admin.js";
import { Cli } from "../support/cli.js";
import { ask, asRole, newDatabase, newRole } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";

const server = (await postgresUrl()) ?? "";

const FEW = ["verify", "--users", "4", "--runs", "8", "--seed", "5"] as const;

describe.skipIf(server === "")("verify on PostgreSQL", () => {
  test("kills processes, lets several write and uses the command line, as a role that owns nothing", async () => {
    const database = await newDatabase(server);
    const role = await newRole(server);
    await initPostgres(database, { grantTo: [role.name] });
    const store = asRole(database, role);
    const memory = new PostgresMemory(store);
    onTestFinished(() => memory.close());
    await memory.add({ role: "user", content: "Hello" }, "bob", { state: { seen: 1 } });
    const rows = () => ask(database, "SELECT * FROM agno_chat.messages");
    const before = await rows();

    const cli = new Cli();
    const passwords = join(cli.home, ".pgpass");
    writeFileSync(passwords, `*:*:*:*:${role.password}\n`);
    chmodSync(passwords, 0o600);
    const withoutPassword = store.replace(`:${role.password}@`, "@");
    const { code, stdout } = await cli.spawn([...FEW, "--store", withoutPassword], {
      env: { HOME: cli.home },
    });
    expect(stdout).toContain("isolated (evidence: sent, store, attack)");
    expect(code).toBe(0);
    for (const check of ["another process reads", "a killed process left", "processes that wrote"])
      expect(stdout).toContain(`✓ ${check}`);
    expect(stdout).toContain("removing inactive users from this store: others may use it");
    expect(stdout).toContain("what cleared texts leave in the files of this store");
    expect((await memory.users()).map(({ userId }) => userId)).toEqual(["bob"]);
    expect(await rows()).toEqual(before);
  });
});
