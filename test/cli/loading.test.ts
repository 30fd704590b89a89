import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { BIN, temporaryFolder } from "../support/cli.js";

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

/** The modules Node loaded, from its coverage; esbuild marks the source of each bundled part. */
function packagesLoadedBy(args: readonly string[]): string[] {
  const [counts, home] = [temporaryFolder(), temporaryFolder()];
  spawnSync(process.execPath, [BIN, ...args], {
    env: { ...process.env, NODE_V8_COVERAGE: counts, AGNO_CHAT_HOME: home },
    input: "",
  });
  const scripts = readdirSync(counts).flatMap((file) => scriptsIn(join(counts, file)));
  expect(scripts).toContain(BIN);
  const bundled = scripts.filter((script) => script.includes("/dist/")).map(packagesIn);
  const sqlite = scripts.some((script) => script.includes("/@photostructure/sqlite/"));
  return [...new Set([...bundled.flat(), ...(sqlite ? ["@photostructure/sqlite"] : [])])];
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

it("the library loads no network module before it is used", () => {
  const program = `
    import ${JSON.stringify(new URL("../../dist/index.js", import.meta.url).href)};
    console.log(process.moduleLoadList.join("\\n"));`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
    encoding: "utf8",
  });
  const loaded = stdout.split("\n").map((line) => line.replace("NativeModule ", ""));
  expect(loaded).toContain("crypto");
  expect(loaded.filter((name) => ["net", "http", "https", "tls"].includes(name))).toEqual([]);
});
