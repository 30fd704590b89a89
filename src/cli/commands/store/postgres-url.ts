import { AgnoChatError } from "../../../errors.js";
import { parseStoreSpec } from "../../../memory/store-spec.js";
import type { Context } from "../../command-context.js";
import { storeOf } from "../../open-agent.js";

/**
 * The URL that was given, else that of the settings.
 * @throws {AgnoChatError} `USAGE` when it is no PostgreSQL database
 */
export function postgresUrl(context: Context, given: string | undefined, command: string): string {
  const spec = given ?? storeOf(context);
  if (parseStoreSpec(spec).kind === "postgres") return spec;
  throw new AgnoChatError("USAGE", `store ${command} is for a PostgreSQL database.`, {
    hint: `Name one: agno-chat store ${command} postgres://USER@HOST/DATABASE`,
  });
}
