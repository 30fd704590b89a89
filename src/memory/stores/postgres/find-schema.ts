import type { Ask } from "./client.js";
import { foreign, missing } from "./refusals.js";

export type Schema =
  | { readonly is: "missing"; readonly owner: undefined }
  | { readonly is: "empty" | "ours" | "foreign"; readonly owner: string };

/** Reads the catalogue only, which every role may. */
export async function findSchema(ask: Ask): Promise<Schema> {
  const [row] = await ask(
    `SELECT pg_get_userbyid(n.nspowner)::text,
            EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = n.oid AND p.proname = 'about_v1'),
            EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = n.oid)
              OR EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid)
     FROM pg_namespace n WHERE n.nspname = 'agno_chat'`,
  );
  if (row === undefined) return { is: "missing", owner: undefined };
  const [owner, isOurs, isUsed] = row as readonly [string, boolean, boolean];
  if (isOurs) return { is: "ours", owner };
  return { is: isUsed ? "foreign" : "empty", owner };
}

/**
 * The role that owns the memory.
 * @throws {AgnoChatError} `STORE_NOT_READY`, `STORE_FOREIGN`
 */
export async function ownerOfMemory(ask: Ask, name: string): Promise<string> {
  const { is, owner } = await findSchema(ask);
  if (is === "ours") return owner;
  throw is === "foreign" ? foreign(name) : missing(name);
}
