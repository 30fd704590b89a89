import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What may be packed: the command, the bundle, the types, the example scripts, the documents. */
const ALLOWED = [
  /^package\.json$/,
  /^(README|CHANGELOG)\.md$/,
  /^LICENSE$/,
  /^bin\/agno-chat\.js$/,
  /^dist\/(index|testing\/index|cli\/main|server\/index|data\/backup-child|verify\/child)\.js$/,
  /^dist\/chunks\/[\w.-]+\.js$/,
  /^dist\/[\w/-]+\.d\.ts$/,
  /^man\/agno-chat\.1$/,
  /^examples\/[\w-]+\.chat$/,
];

const REQUIRED = [
  "README.md",
  "CHANGELOG.md",
  "LICENSE",
  "bin/agno-chat.js",
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

const [{ files, size }] = JSON.parse(
  execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    encoding: "utf8",
  }),
);
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
