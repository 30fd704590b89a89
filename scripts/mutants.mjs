import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bundleInto } from "./build.mjs";
import { MUTANTS } from "./mutants/list.mjs";

/**
 * Plants each leak of the list in a copy of the source and lets `agno-chat verify` find it. Fails
 * when one is not found, or when the text to change is not there exactly once.
 *
 * usage: node scripts/mutants.mjs [--every N] [--only TEXT] [--seed N]
 */
const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({
  options: {
    every: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    seed: { type: "string", default: "1" },
  },
});

/** A leak may hold users up again and again, which is waited out, and machines are busy. */
const LONGEST_MS = 300_000;

/** Inside node_modules, so that external packages resolve and nothing gets packed. */
const out = path.join(root, "node_modules/.cache/mutants");

const wanted = MUTANTS.filter(
  ([file, what], index) =>
    index % Number(values.every) === 0 && `${file} ${what}`.includes(values.only),
);
const results = [];
const waiting = [...wanted.entries()];
await mkdir(out, { recursive: true });
// A check that finds a leak waits more than it computes.
await Promise.all(Array.from({ length: availableParallelism() + 2 }, work));
report();

async function work() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const [index, mutant] = next;
    results[index] = await outcomeOf(mutant, path.join(out, String(index)));
    const { found, how } = results[index];
    console.log(`${found ? "found" : "MISSED"}  ${mutant[0]}: ${mutant[1]} (${how})`);
  }
}

async function outcomeOf(mutant, folder) {
  const home = await mkdtemp(path.join(tmpdir(), "agno-chat-mutant-"));
  try {
    await buildMutant(mutant, folder);
    // The command line is only checked on a store that outlives a process.
    const store = /[/]sqlite[/]|^src[/]cli[/]/.test(mutant[0])
      ? `sqlite:${path.join(home, "chat.db")}`
      : "memory:";
    return await verified(path.join(folder, "bin/agno-chat.js"), { home, store });
  } catch (thrown) {
    return { found: false, how: thrown.message.split("\n")[0] };
  } finally {
    await rm(home, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }
}

/** The package with one change: the executable, and what it and its other processes load. */
async function buildMutant([file, , from, to], folder) {
  const name = path.join(root, file);
  const source = await readFile(name, "utf8");
  const parts = source.split(from);
  if (parts.length !== 2) throw new Error(`the text is there ${parts.length - 1} times, not once`);
  const plugin = {
    name: "mutant",
    setup: (build) =>
      build.onLoad({ filter: /\.ts$/ }, ({ path: loaded }) =>
        loaded === name ? { contents: parts.join(to), loader: "ts" } : undefined,
      ),
  };
  await bundleInto(path.join(folder, "dist"), { plugins: [plugin] });
  await cp(path.join(root, "bin"), path.join(folder, "bin"), { recursive: true });
  await writeFile(path.join(folder, "package.json"), '{ "type": "module" }');
}

/** Runs `verify` of a mutant, and reads from its report how the leak was found. */
async function verified(program, { home, store }) {
  const args = ["verify", "--json", "--users", "6", "--runs", "60", "--seed", values.seed];
  const child = spawn(process.execPath, [program, ...args, "--store", store], {
    // Nothing leaves the machine, and to read these certificates takes most of a Node's start.
    env: { ...process.env, AGNO_CHAT_HOME: home, NODE_EXTRA_CA_CERTS: "" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), LONGEST_MS);
  let text = "";
  for await (const piece of child.stdout.setEncoding("utf8")) text += piece;
  clearTimeout(timer);
  if (child.killed) return { found: false, how: `it took longer than ${LONGEST_MS / 1000} s` };
  const report = JSON.parse(text);
  if (report.verdict !== "leak")
    return { found: false, how: report.verdict ?? report.error?.message };
  const kinds = new Set(report.findings.map(({ check, kind }) => `${check}/${kind}`));
  return { found: true, how: [...kinds].slice(0, 3).join(", ") };
}

function report() {
  const missed = results.filter(({ found }) => !found).length;
  console.log(`\nverify found ${results.length - missed} of ${results.length} leaks.`);
  if (missed > 0) process.exitCode = 1;
}
