import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";

test("an error is of the same class in every entry", async () => {
  const files = await readdir("dist", { recursive: true });
  const scripts = files
    .filter((file) => file.endsWith(".js"))
    .map((file) => path.join("dist", file));
  const texts = await Promise.all(scripts.map((file) => readFile(file, "utf8")));
  expect(texts.filter((text) => text.includes('name = "AgnoChatError"'))).toHaveLength(1);
});

test("every file is ASCII, which V8 decodes fastest", async () => {
  const files = (await readdir("dist", { recursive: true })).filter((file) => /\.js$/.test(file));
  const texts = await Promise.all(files.map((file) => readFile(path.join("dist", file), "latin1")));
  expect(files.filter((_, index) => /[\x80-\xff]/.test(texts[index] ?? ""))).toEqual([]);
});

test("no file requires another by a path that only its package had", async () => {
  const files = (await readdir("dist", { recursive: true })).filter((file) => /\.js$/.test(file));
  const texts = await Promise.all(files.map((file) => readFile(path.join("dist", file), "utf8")));
  expect(files.filter((_, index) => /require\d*\("\./.test(texts[index] ?? ""))).toEqual([]);
});

test.each(["dist/index.js", "dist/testing/index.js"])(
  "%s loads neither the command line nor a model's or a database's package",
  async (entry) => {
    const loaded = await loadedAtOnce(entry);
    expect(loaded).toContain("\n// src/");
    expect(loaded).not.toMatch(
      /^\/\/ (src\/(cli|server)\/|node_modules\/(commander|chalk|conf|@inquirer|openai|pg)\/)/m,
    );
    expect(loaded).not.toMatch(/from "(@photostructure\/sqlite|pg|openai)"/);
  },
);

test("dist/server/index.js loads the A2A SDK and jose only for a request that needs them", async () => {
  const loaded = await loadedAtOnce("dist/server/index.js");
  expect(loaded).toContain("\n// src/server/");
  expect(loaded).not.toMatch(/^\/\/ (src\/cli\/|node_modules\/(@a2a-js|jose)\/)/m);
});

test("up to the prompt, the chat loads at most five files and nothing of the library", async () => {
  const files = new Set<string>();
  const loaded = await loadedAtOnce(await chunkOf("src/cli/chat/chat-on-terminal.ts"), files);
  for (const part of ["main.ts", "commands/repl.ts", "chat/interactive.ts"])
    expect(loaded).toContain(`\n// src/cli/${part}`);
  expect(loaded).not.toMatch(/^\/\/ src\/(agent|memory|models|tools|data|server)\//m);
  expect(files.size).toBeLessThanOrEqual(5);
});

test.each(["src/cli/chat/chat-on-terminal.ts", "src/agent/agent.ts", "src/models/demo/intents.ts"])(
  "what is loaded with %s makes no pattern of a Unicode class before it is used",
  async (source) => {
    const lines = (await loadedAtOnce(await chunkOf(source))).split("\n");
    const literals = lines.filter((line) => /(?<!\\)\\p\{/.test(line) && !line.includes("raw`"));
    expect(literals).toEqual([]);
  },
);

/** The bundled file that holds a source file. */
async function chunkOf(source: string): Promise<string> {
  for (const name of await readdir("dist/chunks")) {
    const file = `dist/chunks/${name}`;
    if ((await readFile(file, "utf8")).includes(`\n// ${source}\n`)) return file;
  }
  throw new Error(`No chunk holds ${source}`);
}

/** The text of a bundled file and its static imports. Comments of esbuild name each source file. */
async function loadedAtOnce(file: string, seen = new Set<string>()): Promise<string> {
  if (seen.has(file)) return "";
  seen.add(file);
  const text = await readFile(file, "utf8");
  const imports = [...text.matchAll(/^(?:import|\} from|import .* from) "(\.[^"]+)";$/gm)];
  const parts = imports.map(([, target = ""]) =>
    loadedAtOnce(path.join(path.dirname(file), target), seen),
  );
  return [text, ...(await Promise.all(parts))].join("\n");
}
