import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

const PREBUILDS = join("node_modules", "@photostructure", "sqlite", "prebuilds");

/**
 * The binary of `@photostructure/sqlite` without the package's own code, which adds nothing that is
 * used here and costs a process more to load than the binary itself.
 * @throws when there is none for this system where the package keeps them
 */
export function loadPackageBinary(): unknown {
  const libc = existsSync("/etc/alpine-release") ? "musl" : "glibc";
  const system = `${process.platform}-${process.arch}`;
  const binary = { exports: {} };
  // The names say glibc on Windows and macOS too.
  process.dlopen(binary, join(prebuilds(), system, `@photostructure+sqlite.${libc}.node`));
  return binary.exports;
}

/** Looked for as Node looks for packages, whose own search takes ten times as long as the rest. */
function prebuilds(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const found = join(folder, PREBUILDS);
    if (existsSync(found) || folder === dirname(folder)) return found;
  }
}
