import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Every check of the code, side by side, since most of them use one core. */
const CHECKS = [
  ["tsc"],
  ["biome", "check", "--error-on-warnings"],
  ["node", "scripts/check-imports.mjs"],
  ["knip"],
];

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = path.join(root, "node_modules/.bin");
const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}` };

await Promise.all(CHECKS.map(check));

/** Shows what a check writes once it has ended, so that no two are mixed. */
async function check(words) {
  const command = words.join(" ");
  const child = spawn(command, { cwd: root, env, shell: true, stdio: ["ignore", "pipe", "pipe"] });
  const pieces = [];
  child.stdout.on("data", (piece) => pieces.push(piece));
  child.stderr.on("data", (piece) => pieces.push(piece));
  const [status] = await once(child, "close");
  console.log(`\n> ${command}\n${Buffer.concat(pieces)}`);
  if (status === 0) return;
  console.error(`Failed: ${command}`);
  process.exitCode = 1;
}
