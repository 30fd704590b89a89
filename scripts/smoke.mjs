import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));

const folder = mkdtempSync(path.join(tmpdir(), "agno-chat-smoke-"));
try {
  const tarball = pack();
  runsAlone(tarball);
  install(tarball);
  chats();
  isImported();
  console.log(`Smoke: agno-chat ${version} installs without scripts, chats and is imported.`);
} finally {
  rmSync(folder, { recursive: true });
}

function pack() {
  const [{ filename }] = JSON.parse(
    run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], { cwd: root }),
  );
  return path.join(folder, filename);
}

/** Runs it like a new user: with npx, in an empty folder and with an empty cache. */
function runsAlone(tarball) {
  const args = ["--yes", "--cache", path.join(folder, "cache"), `./${path.basename(tarball)}`];
  assert.equal(run("npx", [...args, "--version"]).trim(), version);
}

/** Installs without scripts, which is the default of newer npm versions. */
function install(tarball) {
  writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }');
  run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", tarball]);
}

function chats() {
  const command = path.join(folder, "node_modules/.bin/agno-chat");
  assert.equal(run(command, ["--version"]).trim(), version);
  const input = "My name is Alice\nWhat's my name?\n";
  assert.match(run(command, ["--user", "alice"], { input }), /Alice/);
  assert.doesNotMatch(run(command, ["ask", "--user", "bob", "What's my name?"]), /Alice/);
  assert.match(run(command, ["demo"]), /Your name is Bob/);
}

function isImported() {
  const program =
    'import { AgnoChatError } from "agno-chat"; import "agno-chat/testing"; console.log(typeof AgnoChatError);';
  const output = run(process.execPath, ["--input-type=module", "--eval", program]);
  assert.equal(output.trim(), "function");
}

function run(command, args, options = {}) {
  const env = { ...process.env, AGNO_CHAT_HOME: path.join(folder, "home") };
  for (const name of ["OPENAI_API_KEY", "OPENAI_BASE_URL", "AGNO_CHAT_MODEL", "AGNO_CHAT_STORE"])
    delete env[name];
  return execFileSync(command, args, {
    cwd: folder,
    env,
    encoding: "utf8",
    input: "",
    timeout: 120_000,
    ...options,
  });
}
