import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/**
 * The binary of `@photostructure/sqlite` without the package's own code, which adds nothing that is
 * used here and costs a process more to load than the binary itself.
 * @throws when there is none for this system where the package keeps them
 */
export function loadPackageBinary(): unknown {
  const { resolve } = createRequire(import.meta.url);
  const folder = dirname(resolve("@photostructure/sqlite/package.json"));
  const libc = existsSync("/etc/alpine-release") ? "musl" : "glibc";
  const system = `${process.platform}-${process.arch}`;
  const binary = { exports: {} };
  // The names say glibc on Windows and macOS too.
  process.dlopen(binary, join(folder, "prebuilds", system, `@photostructure+sqlite.${libc}.node`));
  return binary.exports;
}
