import type { Row } from "./client.js";
import { outdated, tooNew, unsafe } from "./refusals.js";
import { MIGRATIONS } from "./schema.js";

/**
 * Checks what `about_v1` returned.
 * @throws {AgnoChatError} `STORE_NOT_READY`, `STORE_TOO_NEW`, `STORE_UNSAFE`
 */
export function checkAbout(
  [row = []]: readonly Row[],
  name: string,
  known = MIGRATIONS.length,
): void {
  const [version, owner, isBound] = row as readonly [number, string, boolean];
  if (version > known) throw tooNew(name, { version, known });
  if (version < known) throw outdated(name, { version, known });
  if (!isBound) throw unsafe(name, owner);
}
