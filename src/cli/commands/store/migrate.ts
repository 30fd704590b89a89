import { migrateStore } from "../../../memory/migrate-store.js";
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
