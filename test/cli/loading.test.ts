import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { BIN, temporaryFolder } from "../support/cli.js";

/** Of SQLite no script is loaded but ours. */
const SQLITE = "// src/memory/stores/sqlite/driver.ts\n";

const HEAVY = /^\/\/ node_modules\/(openai|conf|@inquirer\/[^/]+|marked|@a2a-js\/sdk)\//gm;

it.each([
  ["--version", []],
  ["--help", []],
  ["size --help", []],
  ["users", ["@photostructure/sqlite"]],
  ["config list", []],
  ["ask --model demo Hello", ["@photostructure/sqlite"]],
  ["--base-url http://127.0.0.1:9/v1 models", ["openai"]],
])("agno-chat %s loads of the heavy packages only %j", (line, expected) => {
  expect(packagesLoadedBy(line.split(" "))).toEqual(expected);
});

/** The heavy packages that a command loads; esbuild marks the source of each bundled part. */
function packagesLoadedBy(args: readonly string[]): string[] {
  const scripts = filesLoadedBy(args);
  expect(scripts).toContain(BIN);
  const bundled = scripts.filter((script) => script.includes("/dist/")).map(packagesIn);
  expect(scripts.filter((script) => script.includes("/node_modules/"))).toEqual([]);
  const sqlite = scripts.some((script) => readFileSync(script, "utf8").includes(SQLITE));
  return [...new Set([...bundled.flat(), ...(sqlite ? ["@photostructure/sqlite"] : [])])];
}

/** The files Node loaded, from its coverage. */
function filesLoadedBy(args: readonly string[]): string[] {
  const [counts, home] = [temporaryFolder(), temporaryFolder()];
  spawnSync(process.execPath, [BIN, ...args], {
    env: { ...process.env, NODE_V8_COVERAGE: counts, AGNO_CHAT_HOME: home },
    input: "",
  });
  return readdirSync(counts).flatMap((file) => scriptsIn(join(counts, file)));
}

function scriptsIn(file: string): string[] {
  const { result } = JSON.parse(readFileSync(file, "utf8"));
  return result
    .map(({ url }: { url: string }) => url)
    .filter((url: string) => url.startsWith("file:"))
    .map((url: string) => fileURLToPath(url));
}

const packagesIn = (script: string): string[] =>
  [...readFileSync(script, "utf8").matchAll(HEAVY)].map(([, name = ""]) => name);

it("the library loads no network, cryptography or file module before it is used", () => {
  const { modules } = loadedByImport("../../dist/index.js");
  expect(modules).toContain("async_hooks");
  const costly = ["net", "http", "https", "tls", "crypto", "stream", "vm", "child_process", "os"];
  expect(modules.filter((name) => costly.includes(name))).toEqual([]);
});

it("the library is at most four files and 214 kB", () => {
  const { files } = loadedByImport("../../dist/index.js");
  expect(files.length).toBeLessThanOrEqual(4);
  expect(bytesOf(files)).toBeLessThan(214_000);
});

it("agno-chat --version loads nothing but the executable", () => {
  expect(filesLoadedBy(["--version"])).toEqual([BIN]);
});

it("agno-chat ask without a terminal loads no module of terminals or of the network", () => {
  const modules = join(temporaryFolder(), "modules");
  const program = `process.on("exit", () =>
    process.getBuiltinModule("fs").writeFileSync("${modules}", String(process.moduleLoadList)))`;
  const atExit = ["--import", `data:text/javascript,${encodeURIComponent(program)}`];
  spawnSync(process.execPath, [...atExit, BIN, "ask", "--model", "demo", "Hello"], {
    env: { ...process.env, AGNO_CHAT_HOME: temporaryFolder() },
    stdio: "ignore",
  });
  const loaded = readFileSync(modules, "utf8").split(",");
  expect(loaded).toContain("NativeModule internal/crypto/webcrypto");
  expect(loaded).not.toContain("NativeModule net");
  expect(loaded).not.toContain("NativeModule tty");
});

it("agno-chat ask loads at most 6 files and 501 kB of the bundle", () => {
  const loaded = filesLoadedBy(["ask", "--model", "demo", "Hello"]);
  const bundled = loaded.filter((file) => file.includes("/dist/chunks/"));
  expect(bundled.length).toBeLessThanOrEqual(6);
  expect(bytesOf(bundled)).toBeLessThan(501_000);
});

const bytesOf = (files: readonly string[]): number =>
  files.reduce((sum, file) => sum + statSync(file).size, 0);

/** The modules of Node and the files that a program loads which imports `entry` and ends. */
function loadedByImport(entry: string): { modules: string[]; files: string[] } {
  const counts = temporaryFolder();
  const program = `
    import ${JSON.stringify(new URL(entry, import.meta.url).href)};
    console.log(process.moduleLoadList.join("\\n"));`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
    encoding: "utf8",
    env: { ...process.env, NODE_V8_COVERAGE: counts },
  });
  return {
    modules: stdout.split("\n").map((line) => line.replace("NativeModule ", "")),
    files: readdirSync(counts)
      .flatMap((file) => scriptsIn(join(counts, file)))
      .filter((file) => file.includes("/dist/")),
  };
}
