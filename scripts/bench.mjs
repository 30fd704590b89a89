import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build as bundle } from "esbuild";
import { build, bundleOptions } from "./build.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Inside node_modules, so that external packages resolve and nothing gets packed. */
const OUT = path.join(root, "node_modules/.cache/bench");

/** A file that only others import. */
const SHARED = "report.ts";

/** Builds the product and these benchmarks. Returns their files. */
export async function bundleBenchmarks(names) {
  await build();
  await bundle({
    ...bundleOptions,
    entryPoints: names.map((name) => `bench/${name}.ts`),
    outdir: OUT,
  });
  return names.map((name) => path.join(OUT, `${name}.js`));
}

const allNames = () =>
  readdirSync(path.join(root, "bench"))
    .filter((file) => file.endsWith(".ts") && file !== SHARED)
    .map((file) => path.basename(file, ".ts"));

/** One after the other, each in its own process, so that no benchmark affects another. */
function run(file) {
  console.log(`\n# ${path.basename(file, ".js")}`);
  const { status } = spawnSync(process.execPath, [file], { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const wanted = process.argv.slice(2);
  for (const file of await bundleBenchmarks(wanted.length > 0 ? wanted : allNames())) run(file);
}
