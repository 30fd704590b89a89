import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const tree = process.argv[2] ?? root;

/** Files that each break one rule, and the files they need. */
const PLANTED = [
  ["src/ids.ts", 'import "./memory/upward.js";', "imports-point-one-way"],
  ["src/memory/upward.ts", 'import "../agent/upward.js";', "imports-point-one-way"],
  ["src/data/upward.ts", 'import "../agent/upward.js";', "imports-point-one-way"],
  ["src/agent/upward.ts", 'import "../server/upward.js";', "imports-point-one-way"],
  ["src/server/upward.ts", 'import "../cli/fine.js";', "imports-point-one-way"],
  ["src/server/knows-verify.ts", 'import "../verify/upward.js";', "imports-point-one-way"],
  ["src/verify/upward.ts", 'import "../cli/fine.js";', "imports-point-one-way"],
  ["src/models/second.ts", 'await import("openai");', "openai-in-one-file"],
  [
    "src/memory/stores/third.ts",
    'await import("@photostructure/sqlite");',
    "@photostructure/sqlite-in-one-file",
  ],
  ["src/memory/stores/fourth.ts", 'await import("pg");', "pg-in-one-file"],
  ["src/data/second-archive.ts", 'await import("yauzl");', "yauzl-in-one-file"],
  ["src/server/counts.ts", 'await import("prom-client");', "prom-client-in-one-file"],
  ["src/agent/checks.ts", 'await import("ajv/dist/2019.js");', "ajv-in-one-file"],
  ["src/server/fifth.ts", 'await import("@a2a-js/sdk");', "@a2a-js/sdk-in-one-file"],
  ["src/server/sixth.ts", 'await import("jose/jwt/verify");', "jose-in-one-file"],
  [
    "src/models/openai/client.ts",
    'import OpenAI from "openai"; new OpenAI();',
    "heavy-packages-are-lazy",
  ],
  ["src/memory/store-memory.ts", "export {};", undefined],
  [
    "src/memory/stores/sqlite/knows-meaning.ts",
    'import "../../store-memory.js";',
    "a-store-is-rows-alone",
  ],
  [
    "src/memory/stores/in-memory/knows-sqlite.ts",
    'import "../sqlite/knows-meaning.js";',
    "a-store-is-rows-alone",
  ],
  ["src/memory/knows-models.ts", 'import "../models/openai/client.js";', "siblings-stay-strangers"],
  ["src/index.ts", 'import "./cli/fine.js";', "library-without-programs"],
  ["src/testing/fine.ts", "export {};", undefined],
  ["src/cli/knows-testing.ts", 'import "../testing/fine.js";', "testing-is-for-tests"],
  ["src/agent/coloured.ts", 'import "chalk";', "terminal-packages-in-cli"],
  [
    "src/cli/fine.ts",
    'import "chalk"; import "../agent/one.js"; import type {} from "openai"; type Sdk = typeof import("openai");',
    undefined,
  ],
  ["src/cli/chat/upward.ts", 'import "../commands/one.js";', "rooms-of-the-command-line"],
  ["src/cli/commands/one.ts", "export {};", undefined],
  ["src/cli/terminal/upward.ts", 'import "../chat/upward.js";', "terminal-below-chat"],
  ["src/tools/development.ts", 'import "vitest";', "no-development-packages"],
  ["src/agent/one.ts", 'import "./two.js";', "no-cycles"],
  ["src/agent/two.ts", 'import "./one.js";', undefined],
  ["src/agent/three.ts", 'import type {} from "./four.js";', undefined],
  ["src/agent/four.ts", 'import type {} from "./three.js";', "no-cycles"],
];

proveRules();
const { status } = cruise(tree, ["--output-type", "err"], "inherit");
process.exitCode = status;

/** A rule that matches nothing also passes, so each rule must first report a planted violation. */
function proveRules() {
  const copy = mkdtempSync(path.join(tmpdir(), "agno-chat-imports-"));
  try {
    plant(copy);
    const { stdout } = cruise(copy, ["--output-type", "json"], "pipe");
    compare(JSON.parse(stdout).summary.violations);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

function plant(copy) {
  for (const file of [".dependency-cruiser.cjs", "tsconfig.json", "package.json"])
    cpSync(path.join(tree, file), path.join(copy, file));
  symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"), "junction");
  for (const [file, text] of PLANTED) {
    mkdirSync(path.dirname(path.join(copy, file)), { recursive: true });
    writeFileSync(path.join(copy, file), text);
  }
}

function compare(violations) {
  const reported = new Set(violations.map(({ from, rule }) => `${from}: ${rule.name}`));
  const expected = PLANTED.filter(([, , rule]) => rule).map(([file, , rule]) => `${file}: ${rule}`);
  const missed = expected.filter((line) => !reported.has(line));
  const extra = [...reported].filter((line) => !expected.includes(line));
  if (missed.length + extra.length > 0)
    throw new Error(`The import rules do not work.\nMissed: ${missed}\nNot planted: ${extra}`);
  console.log(`Import rules: ${expected.length} planted violations reported.`);
}

function cruise(cwd, options, stdio) {
  const command = path.join(root, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
  const args = [command, "src", "--config", ".dependency-cruiser.cjs", ...options];
  const result = spawnSync(process.execPath, args, { cwd, stdio, encoding: "utf8" });
  if (result.error) throw result.error;
  return result;
}
