import { resolve } from "node:path";
import { AgnoChatError } from "../../../errors.js";

/**
 * Returns the absolute path, which SQLite cannot mistake for a URL.
 * @throws {AgnoChatError} `STORE_UNKNOWN` for a URL or the name of another kind of memory
 */
export function pathOf(path: string): string {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(path)?.[1];
  if (path === "")
    throw unknown(
      "The memory sqlite: needs a path.",
      "Use sqlite:PATH, for example sqlite:history.db.",
    );
  if (path === ":memory:" || path === "memory:")
    throw unknown(
      `The memory sqlite:${path} would be a file named ${path}.`,
      "Use memory: to store nothing on disk.",
    );
  if (scheme?.toLowerCase() === "file" || path.startsWith("//"))
    throw unknown(
      "The memory sqlite: takes a path, not a URL.",
      "Use sqlite:PATH, for example sqlite:history.db.",
    );
  if (scheme !== undefined)
    throw unknown(
      `The memory sqlite: takes a path, and "${scheme}:" looks like another kind of memory.`,
      `Remove sqlite:, or for a file of that name write sqlite:./${scheme}:…`,
    );
  return resolve(path);
}

const unknown = (message: string, hint: string): AgnoChatError =>
  new AgnoChatError("STORE_UNKNOWN", message, { hint });
