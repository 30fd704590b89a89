import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The newest release of each supported Node line, apart from the oldest, which runs all tests. */
const VERSIONS = ["22.23.3", "24.21.0"];

/** Tests that depend on Node itself: terminals, SQLite's binary, signals, the executable. */
const SUITES = [
  "test/cli/chat",
  "test/cli/terminal",
  "test/cli/script",
  "test/memory/sqlite.test.ts",
  "test/package/bin.test.ts",
];

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), "agno-chat-nodes-"));
try {
  for (const version of VERSIONS) testOn(install(version));
} finally {
  rmSync(folder, { recursive: true });
}

/** Installs Node from the npm registry. Returns the folder of the executable. */
function install(version) {
  const name = `node-${process.platform}-${process.arch}`;
  const prefix = path.join(folder, version);
  run("npm", ["install", "--no-save", "--prefix", prefix, `${name}@${version}`]);
  return path.join(prefix, "node_modules", name, "bin");
}

function testOn(bin) {
  const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}` };
  run("node", ["--version"], { env });
  // Terminal tests depend on timing, so a failure is retried once here. npm test retries nothing.
  const vitest = path.join(root, "node_modules/vitest/vitest.mjs");
  run("node", [vitest, "run", "--retry=1", ...SUITES], { env });
}

function run(command, args, options = {}) {
  execFileSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], ...options });
}
