import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The newest of each line of Node that is supported besides the oldest one, which runs everything. */
const VERSIONS = ["22.23.3", "24.21.0"];

/** What leans on Node itself: keys and modes of a terminal, SQLite's binary, signals, the executable. */
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

/** Node as the npm registry carries it. Returns the folder of the executable. */
function install(version) {
  const name = `node-${process.platform}-${process.arch}`;
  const prefix = path.join(folder, version);
  run("npm", ["install", "--no-save", "--prefix", prefix, `${name}@${version}`]);
  return path.join(prefix, "node_modules", name, "bin");
}

function testOn(bin) {
  const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}` };
  run("node", ["--version"], { env });
  // Most of it looks at real terminals, in time: what fails here fails twice. npm test forgives nothing.
  const vitest = path.join(root, "node_modules/vitest/vitest.mjs");
  run("node", [vitest, "run", "--retry=1", ...SUITES], { env });
}

function run(command, args, options = {}) {
  execFileSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], ...options });
}
