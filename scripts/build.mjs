import { readFileSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build as bundle } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));

const ENTRIES = ["index", "testing/index", "cli/main", "server/index", "verify/child"];

/**
 * Options shared by every bundle: the product and the benchmarks.
 * @satisfies {import("esbuild").BuildOptions}
 */
export const bundleOptions = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  // Its main file is UMD, whose requires esbuild cannot follow.
  alias: { "jsonc-parser": "jsonc-parser/lib/esm/main.js" },
  external: ["@photostructure/sqlite"], // it contains a binary
  define: { AGNO_CHAT_VERSION: JSON.stringify(version) },
  // CommonJS packages inside the bundle call `require` for Node's own modules.
  banner: { js: "const require = process.getBuiltinModule;" },
  logLevel: "warning",
};

/**
 * Bundles src into dist. Code shared by entries goes into common chunks, so that a class is the
 * same in all of them, and lazily imported code stays in its own file.
 */
export async function build() {
  const { metafile } = await bundleInto("dist", { metafile: true });
  await removeAllBut(new Set(Object.keys(metafile.outputs)));
}

/** @param {import("esbuild").BuildOptions} [options] */
export const bundleInto = (outdir, options) =>
  bundle({
    ...bundleOptions,
    entryPoints: ENTRIES.map((entry) => `src/${entry}.ts`),
    outdir,
    outbase: "src",
    chunkNames: "chunks/[name]-[hash]",
    splitting: true,
    plugins: [oneLibraryFile],
    ...options,
  });

/**
 * Puts all that `import "agno-chat"` loads into one file, because every file costs time. esbuild
 * makes a file of the modules that the same entries need, so here every module needs the library.
 * @type {import("esbuild").Plugin}
 */
const oneLibraryFile = {
  name: "one-library-file",
  setup({ onLoad }) {
    const library = JSON.stringify(path.join(root, "src/index.ts"));
    onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async (file) => {
      if (!file.path.startsWith(path.join(root, "src"))) return undefined;
      const text = await readFile(file.path, "utf8");
      return { contents: `import ${library};\n${text}`, loader: "ts" };
    });
  },
};

/** Clears dist after the build, so that a command started meanwhile still finds its files. */
async function removeAllBut(outputs) {
  const found = await readdir(path.join(root, "dist"), { recursive: true, withFileTypes: true });
  const stale = found
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .filter((file) => !outputs.has(file.split(path.sep).join("/")));
  await Promise.all(stale.map((file) => rm(path.join(root, file), { force: true })));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await build();
