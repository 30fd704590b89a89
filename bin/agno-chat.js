#!/usr/bin/env node
// Must parse on Node 12, so that an old Node prints the message below, not a syntax error.
const [major, minor] = process.versions.node.split(".").map(Number);

if (major < 20 || (major === 20 && minor < 20)) {
  fail(
    `agno-chat needs Node 20.20 or later; this is Node ${process.versions.node}. ` +
      "Get one at https://nodejs.org.",
  );
} else if (process.argv.length === 3 && ["-V", "--version"].includes(process.argv[2])) {
  printVersion();
} else {
  void start();
}

/**
 * Loads no program and opens no stream, and this file is CommonJS (`package.json` next to it),
 * which needs no loader of modules: --version costs little more than starting Node.
 */
function printVersion() {
  const { readFileSync, writeSync } = process.getBuiltinModule("node:fs");
  const manifest = readFileSync(`${__dirname}/../package.json`, "utf8");
  writeSync(1, `${JSON.parse(manifest).version}\n`);
}

async function start() {
  const program = await import("../dist/cli/main.js").catch((error) => {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    fail("agno-chat is not built yet. Run: npm run build");
  });
  if (!program) return;
  // Node ends when nothing can happen any more; if the command still waits then, it has failed.
  process.exitCode = 1;
  const code = await program.main(process.argv.slice(2), process);
  // The terminal has gone. Its signal may come late, and Node, as it cleans up, would die of it.
  if (code === 129) process.exit(code);
  process.exitCode = code;
}

function fail(line) {
  console.error(line);
  process.exitCode = 1;
}
