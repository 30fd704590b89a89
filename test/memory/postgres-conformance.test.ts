import { describe, it } from "vitest";
import { PostgresMemory } from "../../src/memory/postgres.js";
import { initPostgres } from "../../src/memory/stores/postgres/admin.js";
import { PostgresStore } from "../../src/memory/stores/postgres/postgres-store.js";
import { memoryConformance } from "../../src/testing/memory-conformance.js";
import { storeConformance } from "../../src/testing/store-conformance.js";
import { ask, asRole, empty, newDatabase, newRole } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";

/** Before, a database could not sort by ICU. */
const FIRST_WITH_ICU = 150_000;

const server = await postgresUrl();

if (server === undefined) describe.skip("PostgresStore", () => {});
else {
  const ofSuperuser = await newDatabase(server);
  await initPostgres(ofSuperuser);

  memoryConformance({
    name: "PostgresMemory",
    open: async ({ now }) => {
      await empty(ofSuperuser);
      return new PostgresMemory(ofSuperuser, { now });
    },
    describe,
    it,
  });

  const suite = (name: string, { superuser, url }: { superuser: string; url: string }): void =>
    storeConformance({
      name,
      open: async () => {
        await empty(superuser);
        return new PostgresStore(url);
      },
      reopen: () => new PostgresStore(url),
      describe,
      it,
    });

  suite("PostgresStore of a superuser", { superuser: ofSuperuser, url: ofSuperuser });

  const owner = await newRole(server);
  const [version] = await ask<{ number: number }>(
    server,
    "SELECT current_setting('server_version_num')::int AS number",
  );
  const hasIcu = (version?.number ?? 0) >= FIRST_WITH_ICU;
  const ofOwner = await newDatabase(server, {
    owner: owner.name,
    icuLocale: hasIcu ? "en-US" : undefined,
  });
  await initPostgres(asRole(ofOwner, owner));
  suite("PostgresStore of a role that owns it, in a database that sorts as English does", {
    superuser: ofOwner,
    url: asRole(ofOwner, owner),
  });

  const caller = await newRole(server);
  await initPostgres(ofSuperuser, { grantTo: [caller.name] });
  suite("PostgresStore of a role that may only call its functions", {
    superuser: ofSuperuser,
    url: asRole(ofSuperuser, caller),
  });
}
