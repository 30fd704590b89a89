import { readdirSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build as bundle } from "esbuild";
import { importDirectly } from "./direct-imports.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));

const ENTRIES = [
  "index",
  "testing/index",
  "cli/main",
  "server/index",
  "data/backup-child",
  "verify/child",
];

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
  alias: {
    // Its main file is UMD, whose requires esbuild cannot follow.
    "jsonc-parser": "jsonc-parser/lib/esm/main.js",
    // CommonJS needs helpers, which would be one more file to load.
    "fastest-levenshtein": "fastest-levenshtein/esm/mod.js",
  },
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
  const { outputFiles } = await bundleInto("dist", { write: false });
  const files = importDirectly(outputFiles);
  for (const { path: file, text } of files) {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, inAscii(text));
  }
  await removeAllBut(new Set(files.map(({ path: file }) => file)));
}

/**
 * One character beyond ASCII, and V8 decodes the whole file, most into twice the memory. esbuild
 * leaves them in patterns and comments only.
 */
const inAscii = (text) =>
  text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** @param {import("esbuild").BuildOptions} [options] */
export const bundleInto = (outdir, options) =>
  bundle({
    ...bundleOptions,
    entryPoints: ENTRIES.map((entry) => `src/${entry}.ts`),
    outdir,
    outbase: "src",
    chunkNames: "chunks/[name]-[hash]",
    splitting: true,
    plugins: [fewFiles, globalProcess, leanCommander],
    ...options,
  });

/**
 * chalk imports `process` from `node:process`, which evaluates every stream and report of it.
 * @type {import("esbuild").Plugin}
 */
const globalProcess = {
  name: "global-process",
  setup({ onResolve, onLoad }) {
    // By importer, so that each has it in its own file.
    onResolve({ filter: /^node:process$/ }, ({ kind, importer }) =>
      kind === "import-statement" ? { path: importer, namespace: "process" } : undefined,
    );
    onLoad({ filter: /.*/, namespace: "process" }, () => ({
      contents: "export default process;",
    }));
  },
};

/**
 * commander is CommonJS, and V8 parses a function around a CommonJS file once more when it is
 * called. Its files are regular enough to become modules. What starts programs, for a command that
 * is a program of its own, is left out: to load it would take as long as commander itself.
 * @type {import("esbuild").Plugin}
 */
const leanCommander = {
  name: "lean-commander",
  setup({ onLoad }) {
    onLoad({ filter: /commander[\\/]lib[\\/]\w+\.js$/ }, async (file) => ({
      contents: (await readFile(file.path, "utf8"))
        .replace("require('node:child_process')", "undefined")
        .replace(/^const (\w+) = require\((.+)\)\.\1;$/gm, "import { $1 } from $2;")
        .replace(/^const (.+) = require\((.+)\);$/gm, "import $1 from $2;")
        .replace(/^exports\.(\w+) = \1;/gm, "export { $1 };"),
    }));
    onLoad({ filter: /commander[\\/]esm\.mjs$/ }, () => ({
      contents: ["argument", "command", "error", "help", "option"]
        .map((file) => `export * from "./lib/${file}.js";`)
        .join("\n"),
    }));
  },
};

/** Modules, and those whose file they share or load. What more than one row matches needs all. */
const LOADED_WITH = [
  [/^(?!cli\/).+\//, "index.ts"],
  [/^memory\/stores\/sqlite\/(?!path)/, "memory/stores/sqlite/sqlite-store.ts"],
  [/^cli\//, "cli/main.ts", "cli/render/terminal-size.ts"],
  [/^cli\/(chat|setup)\//, "cli/chat/chat-on-terminal.ts"],
  [/^cli\/render\/(colour|live-text)/, "cli/terminal/terminal-screen.ts"],
  [
    /^cli\/terminal\/(keys|modes|paste-reader|input-(files|history))\.ts/,
    ...["cli/terminal/keys.ts", "cli/terminal/paste-reader.ts", "cli/terminal/input-files.ts"],
    ...["cli/terminal/modes.ts", "cli/terminal/input-history.ts"],
  ],
  [
    /^cli\/(commands\/(?!repl)|script|setup|chat\/(load-chat|plain\.)|open-agent|unreadable-file)/,
    ...["cli/commands/ask.ts", "cli/unreadable-file.ts"],
  ],
];

/**
 * Every file costs time at the start, and esbuild makes a file of the modules that the same entries
 * need. So here modules need more than they import, and the library, the command up to its prompt
 * and `ask` are a few files each. All need the lowest layer, which the prompt needs and no more.
 * @type {import("esbuild").Plugin}
 */
const fewFiles = {
  name: "few-files",
  setup({ onLoad }) {
    const source = path.join(root, "src");
    const lowest = readdirSync(source).filter((name) => /(?<!index)\.ts$/.test(name));
    onLoad({ filter: /\.ts$/ }, async (file) => {
      const name = path.relative(source, file.path).split(path.sep).join("/");
      const rows = LOADED_WITH.filter(([pattern]) => pattern.test(name));
      const imports = [...lowest, ...rows.flatMap(([, ...needed]) => needed)]
        .map((needed) => `import ${JSON.stringify(path.join(source, needed))};\n`)
        .join("");
      return { contents: imports + (await readFile(file.path, "utf8")), loader: "ts" };
    });
  },
};

/** Clears dist after the build, so that a command started meanwhile still finds its files. */
async function removeAllBut(outputs) {
  const found = await readdir(path.join(root, "dist"), { recursive: true, withFileTypes: true });
  const stale = found
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => !outputs.has(file));
  await Promise.all(stale.map((file) => rm(file, { force: true })));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await build();
