import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

let copy: string;

beforeEach(async () => {
  copy = await mkdtemp(path.join(tmpdir(), "agno-chat-check-"));
  for (const name of ["package.json", "tsconfig.json", ".dependency-cruiser.cjs"])
    await cp(name, path.join(copy, name));
  await symlink(path.resolve("node_modules"), path.join(copy, "node_modules"), "junction");
});

afterEach(() => rm(copy, { recursive: true }));

test("an upward import fails the check and is named", async () => {
  await plant("src/memory/planted.ts", 'import "../agent/agent.js";');
  await plant("src/agent/agent.ts", "export {};");
  const { status, stdout } = checkImports();
  expect(stdout).toContain("imports-point-one-way: src/memory/planted.ts → src/agent/agent.ts");
  expect(status).not.toBe(0);
});

test("a rule that no longer sees anything fails the check", async () => {
  await plant(".dependency-cruiser.cjs", "module.exports = { forbidden: [] };");
  const { status, stderr } = checkImports();
  expect(stderr).toContain("The import rules do not work.");
  expect(status).not.toBe(0);
});

async function plant(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(path.join(copy, file)), { recursive: true });
  await writeFile(path.join(copy, file), text);
}

const checkImports = () =>
  spawnSync(process.execPath, ["scripts/check-imports.mjs", copy], { encoding: "utf8" });
