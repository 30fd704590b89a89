import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";

const MAX_COLUMNS = 100;

const PAGES = ["AGENTS.md", "CHANGELOG.md", "README.md"];
const FOLDERS = ["bench", "bin", "docs", "examples", "scripts", "src", "test"];
const EXTENSIONS = new Set([".ts", ".js", ".mjs", ".cjs", ".md"]);

/** A comment of JavaScript or SQL. Biome wraps code, but not comments. */
const COMMENT = /^\s*(\/\/|\/?\*|--)/;

/** What cannot be wrapped: a row of a table, or an address. */
const UNBREAKABLE = /^\||https?:\/\/\S{60}/;

function tooWideLines(file: string, text: string): string[] {
  const isPage = path.extname(file) === ".md";
  return text.split("\n").flatMap((line, index) => {
    const isChecked = (isPage || COMMENT.test(line)) && !UNBREAKABLE.test(line);
    return isChecked && line.length > MAX_COLUMNS ? [`${file}:${index + 1}`] : [];
  });
}

it("comments and pages are at most 100 columns wide", () => {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) =>
      path.join(folder, name),
    ),
  ).filter((file) => EXTENSIONS.has(path.extname(file)) && !file.includes("node_modules"));
  expect(files.length).toBeGreaterThan(400);
  const found = [...PAGES, ".dependency-cruiser.cjs", ...files].flatMap((file) =>
    tooWideLines(file, readFileSync(file, "utf8")),
  );
  expect(found).toEqual([]);
});

it.each([
  ["a.ts", `  // ${"x".repeat(96)}`],
  ["a.ts", ` * ${"x".repeat(98)}`],
  ["a.ts", `-- ${"x".repeat(98)}`],
  ["a.md", "x".repeat(101)],
])("the check sees a wide line of %s: %s", (file, line) => {
  expect(tooWideLines(file, `${line}\n`)).toEqual([`${file}:1`]);
  expect(tooWideLines(file, `${line.slice(1)}\n`)).toEqual([]);
});
