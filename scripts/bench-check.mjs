import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { bundleBenchmarks } from "./bench.mjs";

/**
 * Compares the ratios of the short benchmarks with those of `bench/figures.json`. A ratio that is
 * much worse is measured again, up to three times, because another program may have been busy.
 *
 * usage: node scripts/bench-check.mjs [--record]
 */
const root = fileURLToPath(new URL("..", import.meta.url));
const FIGURES = path.join(root, "bench/figures.json");
const NAMES = ["agent", "heap", "memory", "server"];

/** How much worse a ratio of times may be. Machines differ, and so do two runs on the same one. */
const MARGIN = 3;

/** Sizes hardly differ between machines. */
const HEAP_MARGIN = 1.2;

const marginOf = (what) => (what.startsWith("heap: ") ? HEAP_MARGIN : MARGIN);
const ATTEMPTS = 3;

const LINE = /^ *(?<ratio>[\d.]+)x {2}(?<what>.*?)(?: {2}\(.*\))?$/gm;

const files = await bundleBenchmarks(NAMES);
const best = measure({});
if (process.argv.includes("--record")) record();
else check();

/** The lower of each ratio now and the one measured before. */
function measure(before) {
  const now = { ...before };
  for (const file of files) {
    const { stdout, status } = spawnSync(process.execPath, [file, "--short"], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (status !== 0) throw new Error(`${file} failed`);
    for (const { groups } of stdout.matchAll(LINE))
      now[groups.what] = Math.min(Number(groups.ratio), before[groups.what] ?? Infinity);
  }
  return now;
}

function record() {
  writeFileSync(FIGURES, `${JSON.stringify(best, undefined, 2)}\n`);
  print(best, best);
}

function check() {
  const expected = JSON.parse(readFileSync(FIGURES, "utf8"));
  let measured = best;
  for (
    let attempt = 1;
    attempt < ATTEMPTS && slowerOnes(measured, expected).length > 0;
    attempt += 1
  )
    measured = measure(measured);
  print(measured, expected);
  const unknown = Object.keys(measured).filter((what) => expected[what] === undefined);
  const missing = Object.keys(expected).filter((what) => measured[what] === undefined);
  for (const what of unknown) fail(`There is no figure for "${what}".`);
  for (const what of missing) fail(`"${what}" was not measured.`);
  for (const what of slowerOnes(measured, expected))
    fail(`"${what}" is ${measured[what]}x, more than ${marginOf(what)} times ${expected[what]}x.`);
}

function slowerOnes(measured, expected) {
  return Object.keys(expected).filter((what) => measured[what] > marginOf(what) * expected[what]);
}

function print(measured, expected) {
  for (const [what, ratio] of Object.entries(measured))
    console.log(`${`${ratio}x`.padStart(8)}  ${what} (recorded: ${expected[what] ?? "no"}x)`);
}

function fail(line) {
  console.error(`${line} If that is meant, record it: npm run bench:check -- --record`);
  process.exitCode = 1;
}
