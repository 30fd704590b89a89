import { readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { isFileName } from "../../attachments.js";

/**
 * The path that was typed, or dropped on the terminal, which quotes it or puts a backslash before
 * a blank. A leading `~/` is the home folder of whoever runs the program.
 */
export async function typedPath(text: string): Promise<string> {
  const path = fromHome(text);
  if (await isThere(path)) return path;
  const unquoted = fromHome(withoutQuotes(text));
  return (await isThere(unquoted)) ? unquoted : path;
}

/** The paths that begin as typed, folders with a slash at their end; in the order of names. */
export async function typedNames(text: string): Promise<readonly string[]> {
  const isFolder = text === "" || text.endsWith("/");
  const typed = isFolder ? text : text.slice(0, text.length - basename(text).length);
  const start = text.slice(typed.length);
  const folder = isFolder ? fromHome(text || ".") : dirname(fromHome(text));
  // A folder that cannot be read offers nothing.
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter(({ name }) => name.startsWith(start) && (start !== "" || !name.startsWith(".")))
    .filter(({ name }) => isFileName(name))
    .map((entry) => `${typed}${entry.name}${entry.isDirectory() ? "/" : ""}`)
    .sort();
}

const fromHome = (path: string): string =>
  path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

function withoutQuotes(text: string): string {
  const [, quoted] = /^(?:'(.*)'|"(.*)")$/s.exec(text)?.filter((part) => part !== undefined) ?? [];
  return quoted ?? text.replace(/\\(.)/gs, "$1");
}
