import { AgnoChatError } from "../../../errors.js";
import { parseLastingSpec } from "../../../memory/store-spec.js";
import type { Context } from "../../command-context.js";
import { storeOf } from "../../open-agent.js";

/** `store migrate`: brings the schema of a store to the version of this agno-chat. */
export async function migrate(context: Context, [given]: string[]): Promise<void> {
  const { options, output } = context;
  const { from, to } = await migrateStore(given ?? storeOf(context));
  if (options.json) output.document({ ok: true, from, to });
  else if (from === to) output.write(`The schema is current: version ${to}.\n`);
  else output.write(`Migrated the schema from version ${from} to ${to}.\n`);
}

async function migrateStore(spec: string): Promise<{ readonly from: number; readonly to: number }> {
  const { kind, location } = parseLastingSpec(spec);
  if (kind === "sqlite")
    return (await import("../../../memory/stores/sqlite/migrate.js")).migrateSqlite(location);
  const admin = await import("../../../memory/stores/postgres/admin.js");
  try {
    return await admin.migratePostgres(location);
  } catch (error) {
    throw admin.wasDenied(error) ? denied(error) : error;
  }
}

const denied = (cause: unknown): AgnoChatError =>
  new AgnoChatError("STORE_NOT_READY", "This role may not change the schema.", {
    hint: "Let an administrator of the database run: agno-chat store migrate URL",
    cause,
  });
