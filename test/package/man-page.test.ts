import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { COMMANDS as SLASH_COMMANDS } from "../../src/cli/chat/slash-commands.js";
import { COMMANDS } from "../../src/cli/command-table.js";
import { EXIT_CODES } from "../../src/cli/manual/exit-codes.js";
import { manPage } from "../../src/cli/manual/man-page.js";
import { type Definition, SETTING_NAMES, SETTINGS } from "../../src/cli/settings/settings-table.js";
import { ERROR_TABLE } from "../../src/errors.js";

const PAGE = "man/agno-chat.1";
const has = (program: string): boolean =>
  spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

it("is built from the tables as they are now", () => {
  expect(readFileSync(PAGE, "utf8")).toBe(manPage());
});

it("has every section that a manual page of a command has", () => {
  expect(
    manPage()
      .match(/^\.SH .*/gm)
      ?.map((line) => line.slice(4)),
  ).toEqual(
    "NAME SYNOPSIS DESCRIPTION OPTIONS COMMANDS SLASH COMMANDS ENVIRONMENT FILES EXIT STATUS EXAMPLES"
      .replace(/(SLASH|EXIT) /g, "$1_")
      .split(" ")
      .map((title) => title.replace("_", " ")),
  );
});

it.skipIf(!has("man"))("reads well in man, without a warning (needs man)", () => {
  const { stdout, stderr, status } = spawnSync(
    "man",
    ["--warnings", "--encoding=utf8", "-l", PAGE],
    {
      encoding: "utf8",
      env: { ...process.env, MANWIDTH: "80", LC_ALL: "C.UTF-8", MANPAGER: "cat" },
    },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const names = COMMANDS.filter(({ hidden }) => !hidden).map(({ name }) => name);
  for (const name of names) expect(stdout).toMatch(new RegExp(`^ {3}${name}\\b`, "m"));
  for (const { name } of SLASH_COMMANDS)
    expect(stdout).toMatch(new RegExp(`^ {7}/${name}\\b`, "m"));
  for (const name of SETTING_NAMES) {
    const { env }: Definition = SETTINGS[name];
    if (env !== undefined) expect(stdout).toContain(env);
  }
});

it.skipIf(!has("mandoc"))("has no fault that mandoc finds (needs mandoc)", () => {
  const { stdout } = spawnSync("mandoc", ["-Tlint", "-Wwarning", PAGE], { encoding: "utf8" });
  // A date would differ with every build.
  expect(stdout.split("\n").filter((line) => !line.includes("missing date"))).toEqual([""]);
});

it("explains every exit code that a command can have, in the words of docs/shell.md", () => {
  const page = readFileSync("docs/shell.md", "utf8");
  for (const [codes, meaning] of EXIT_CODES) expect(page).toContain(`| ${codes} | ${meaning} |`);
  const explained = new Set(EXIT_CODES.flatMap(([codes]) => codes.split(", ").map(Number)));
  for (const { exit } of Object.values(ERROR_TABLE)) expect(explained).toContain(exit);
});
