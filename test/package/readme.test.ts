import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Definition, SETTING_NAMES, SETTINGS } from "../../src/cli/settings/table.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");

describe("README.md", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "agno-chat-readme-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("shows programs that compile", () => {
    const programs = [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);
    expect(programs.length).toBeGreaterThan(0);
    for (const [index, code] of programs.entries())
      writeFileSync(join(folder, `program-${index}.ts`), code);
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(compilerSettings()));
    const compile = () =>
      execFileSync(
        process.execPath,
        [join(root, "node_modules/typescript/bin/tsc"), "-p", folder],
        {
          encoding: "utf8",
        },
      );
    expect(compile).not.toThrow();
  }, 60_000);

  it("has the table of settings that the program has", () => {
    const rows = SETTING_NAMES.map((name) => {
      const { flag, env, otherwise = "" }: Definition = SETTINGS[name];
      const code = (text: string | undefined) => (text === undefined ? "" : `\`${text}\``);
      return `| ${[name, code(flag), code(env), otherwise].join(" | ")} |`.replace(/ {2,}/g, " ");
    });
    expect(readme).toContain(rows.join("\n"));
  });

  it("names every exit code the command line has", async () => {
    const { ERROR_TABLE } = await import("../../src/errors.js");
    const codes = new Set(Object.values(ERROR_TABLE).map(({ exit }) => exit));
    for (const code of codes) expect(readme).toMatch(new RegExp(`^\\| .*\\b${code}\\b.* \\|`, "m"));
  });
});

function compilerSettings() {
  const { compilerOptions } = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8"));
  const source = (entry: string) => [join(root, `src/${entry}.ts`)];
  return {
    compilerOptions: {
      ...compilerOptions,
      typeRoots: [join(root, "node_modules/@types")],
      paths: {
        "agno-chat": source("index"),
        "agno-chat/testing": source("testing/index"),
        "agno-chat/server": source("server/index"),
        "*": [join(root, "node_modules/*")],
      },
    },
    include: ["*.ts"],
  };
}
