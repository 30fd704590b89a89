import { AgnoChatError, ERROR_TABLE } from "../../../errors.js";
import { parseStoreSpec } from "../../../memory/store-spec.js";
import type { Context } from "../../command-context.js";
import { failureDocument } from "../../failure-text.js";
import { storeOf } from "../../open-agent.js";

export interface InitStoreOptions {
  readonly grant?: readonly string[];
  readonly printSql?: boolean;
}

/** `store init URL`: makes the schema, or prints what an administrator must run to make it. */
export async function init(
  context: Context,
  [given]: string[],
  { grant: grantTo = [], printSql = false }: InitStoreOptions,
): Promise<number> {
  const { options, output } = context;
  refuseUrls(grantTo);
  const url = given ?? storeOf(context);
  if (parseStoreSpec(url).kind !== "postgres") throw noDatabase();
  const admin = await import("../../../memory/stores/postgres/admin.js");
  if (printSql) {
    const sql = admin.initSql(url, { grantTo });
    if (options.json) output.document({ ok: true, sql });
    else output.write(sql);
    return 0;
  }
  try {
    const { created, owner } = await admin.initPostgres(url, { grantTo });
    if (options.json) output.document({ ok: true, created, owner, granted: grantTo });
    else output.write(`${sentence(created, owner)}${granted(grantTo)}\n`);
    return 0;
  } catch (error) {
    if (!admin.wasDenied(error)) throw error;
    return denied(context, await admin.missingSql(url, { grantTo }));
  }
}

/** `--grant` takes every word behind it. */
function refuseUrls(roles: readonly string[]): void {
  if (!roles.some((role) => role.includes("://"))) return;
  throw new AgnoChatError("USAGE", "--grant takes names of roles, and a URL is none.", {
    hint: "Put the URL first: agno-chat store init URL --grant ROLE",
  });
}

const noDatabase = (): AgnoChatError =>
  new AgnoChatError("USAGE", "store init is for a PostgreSQL database.", {
    hint: "Name one: agno-chat store init postgres://USER@HOST/DATABASE",
  });

const sentence = (created: boolean, owner: string): string =>
  created
    ? `Made the schema agno_chat, which belongs to ${owner}.`
    : `The schema agno_chat is there already, and belongs to ${owner}.`;

const granted = (roles: readonly string[]): string =>
  roles.length === 0 ? "" : ` These roles may use it: ${roles.join(", ")}.`;

/** The SQL goes to stdout, so that it can be piped to a file or to the administrator's psql. */
function denied({ io, options, output }: Context, sql: string): number {
  const error = new AgnoChatError("STORE_NOT_READY", "This role may not set up the database.", {
    hint: "Let an administrator run the SQL on stdout: psql DATABASE -f FILE",
  });
  if (options.json) output.document({ ok: false, error: failureDocument(error), sql });
  else {
    io.stdout.write(sql);
    output.failure(error);
  }
  return ERROR_TABLE[error.code].exit;
}
