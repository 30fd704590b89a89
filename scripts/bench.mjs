import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build as bundle } from "esbuild";
import { build, bundleOptions } from "./build.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Inside node_modules, so that external packages resolve and nothing gets packed. */
const OUT = path.join(root, "node_modules/.cache/bench");

const names = readdirSync(path.join(root, "bench"))
  .filter((file) => file.endsWith(".ts"))
  .map((file) => path.basename(file, ".ts"));
const wanted = process.argv.length > 2 ? process.argv.slice(2) : names;

await build();
await bundle({
  ...bundleOptions,
  entryPoints: wanted.map((name) => `bench/${name}.ts`),
  outdir: OUT,
});
// One after the other, each in its own process, so that no benchmark affects another.
for (const name of wanted) run(name);

function run(name) {
  console.log(`\n# ${name}`);
  const { status } = spawnSync(process.execPath, [path.join(OUT, `${name}.js`)], {
    cwd: root,
    stdio: "inherit",
  });
  if (status !== 0) process.exitCode = 1;
}
