import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder and those above it that are missing, accessible only to the owner. `mkdirSync`
 * with `recursive` never returns where the system refuses to make a folder as if its parent were
 * missing, as Linux does in /proc.
 * @throws an error of the system
 */
export function ensureFolder(path: string): void {
  if (isFolder(path) || dirname(path) === path) return;
  ensureFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (cause) {
    // Another process may have made it meanwhile.
    if (!isFolder(path)) throw cause;
  }
}

/** @throws `ENOTDIR` for a file; the point asks for that */
const isFolder = (path: string): boolean =>
  statSync(`${path}/.`, { throwIfNoEntry: false })?.isDirectory() === true;
