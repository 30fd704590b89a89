import { afterAll, describe, expect, it } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { PostgresMemory } from "../../src/memory/postgres.js";
import { checkPostgres, initPostgres } from "../../src/memory/stores/postgres/admin.js";
import { PostgresStore } from "../../src/memory/stores/postgres/postgres-store.js";
import { ScriptedModel } from "../../src/testing/scripted-model.js";
import { storeConformance } from "../../src/testing/store-conformance.js";
import { pgBouncerVersion, startPgBouncer } from "../support/pgbouncer.js";
import { ask, asRole, empty, newDatabase, newRole } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";

const server = await postgresUrl();
const version = await pgBouncerVersion();

if (server === undefined || version === undefined)
  describe.skip("PostgresStore through a pooler", () => {});
else {
  const database = await newDatabase(server);
  const role = await newRole(server);
  await initPostgres(database, { grantTo: [role.name] });
  const pooler = await startPgBouncer(asRole(database, role));
  afterAll(() => pooler.stop());

  storeConformance({
    name: `PostgresStore through ${version} with two connections`,
    open: async () => {
      await empty(database);
      return new PostgresStore(pooler.url);
    },
    reopen: () => new PostgresStore(pooler.url),
    describe,
    it,
  });

  describe("a pooler that mixes transactions", () => {
    it("keeps the runs of two servers in order with leases", async () => {
      await empty(database);
      const model = new ScriptedModel(({ messages }) => `${messages.length}`);
      const memories = [new PostgresMemory(pooler.url), new PostgresMemory(pooler.url)];
      const agents = memories.map((memory) => new Agent({ model, memory, lease: true }));
      const runs = Array.from({ length: 20 }, (_, run) =>
        agents[run % 2]?.run(`message ${run}`, { userId: "alice" }),
      );
      const replies = (await Promise.all(runs)).map((output) => Number(output?.content));
      const sent = Array.from({ length: 20 }, (_, run) => 2 * run + 1);
      expect(replies.toSorted((left, right) => left - right)).toEqual(sent);
      await Promise.all(memories.map((memory) => memory.close()));
    });

    it("shows the next transaction neither the user nor the list before it", async () => {
      const memory = new PostgresMemory(pooler.url);
      const left = `SELECT current_setting('agno_chat.user_id', true) AS name,
        current_setting('agno_chat.list', true) AS list,
        current_setting('synchronous_commit') AS durable`;
      for (let round = 0; round < 10; round += 1) {
        await Promise.all([memory.read("alice"), memory.users(), memory.clear("bob")]);
        const [row] = await ask<Record<string, string | null>>(pooler.url, left);
        expect({ name: row?.name || null, list: row?.list || null, durable: row?.durable }).toEqual(
          {
            ...{ name: null, list: null, durable: "on" },
          },
        );
      }
      await memory.close();
    });

    it("is named by store check", async () => {
      const { findings } = await checkPostgres(pooler.url);
      expect(findings.map(({ text }) => text).join()).toContain("behind a pooler");
    });
  });
}
