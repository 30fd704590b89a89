import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What may be packed: the command, the bundle, the types, the example scripts, the documents. */
const ALLOWED = [
  /^package\.json$/,
  /^(README|CHANGELOG)\.md$/,
  /^docs\/[\w-]+\.md$/,
  /^LICENSE$/,
  /^bin\/(agno-chat\.js|package\.json)$/,
  /^dist\/(index|testing\/index|cli\/main|server\/index|data\/backup-child|verify\/child)\.js$/,
  /^dist\/chunks\/[\w.-]+\.js$/,
  /^dist\/[\w/-]+\.d\.ts$/,
  /^man\/agno-chat\.1$/,
  /^examples\/[\w-]+\.chat$/,
];

const REQUIRED = [
  "README.md",
  "CHANGELOG.md",
  "docs/server.md",
  "LICENSE",
  "bin/agno-chat.js",
  "bin/package.json",
  "dist/index.js",
  "dist/index.d.ts",
  "dist/testing/index.js",
  "dist/testing/index.d.ts",
  "dist/cli/main.js",
  "dist/data/backup-child.js",
  "dist/verify/child.js",
  "man/agno-chat.1",
  "examples/demo.chat",
  "examples/support-desk.chat",
];

const folder = mkdtempSync(path.join(tmpdir(), "agno-chat-package-"));
try {
  const { files, size, filename } = pack();
  checkFiles(files, size);
  checkTypes(path.join(folder, filename));
} finally {
  rmSync(folder, { recursive: true });
}

/** What is built already: npm pack would build it again. */
function pack() {
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  return JSON.parse(execFileSync("npm", args, { cwd: root, encoding: "utf8" }))[0];
}

function checkFiles(files, size) {
  const packed = files.map((file) => file.path);
  const missing = REQUIRED.filter((file) => !packed.includes(file));
  const extra = packed.filter((file) => !ALLOWED.some((pattern) => pattern.test(file)));
  for (const file of missing) console.error(`Missing in the package: ${file}`);
  for (const file of extra) console.error(`Must not be in the package: ${file}`);
  if (missing.length + extra.length > 0) process.exitCode = 1;
  else
    console.log(
      `Package: ${packed.length} files, ${Math.ceil(size / 1024)} kB, all of them expected.`,
    );
}

/** Whether its types are right for whoever imports it. */
function checkTypes(tarball) {
  const args = ["attw", "--profile", "esm-only", tarball];
  const { status } = spawnSync("npx", args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
