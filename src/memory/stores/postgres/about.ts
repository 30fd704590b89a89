import type { Row } from "./client.js";
import { tooNew, unsafe } from "./refusals.js";
import { MIGRATIONS } from "./schema.js";

/**
 * Checks what `about_v1` returned.
 * @throws {AgnoChatError} `STORE_TOO_NEW`, `STORE_UNSAFE`
 */
export function checkAbout([row = []]: readonly Row[], name: string): void {
  const [version, owner, isBound] = row as readonly [number, string, boolean];
  if (version > MIGRATIONS.length) throw tooNew(name, { version, known: MIGRATIONS.length });
  if (!isBound) throw unsafe(name, owner);
}
