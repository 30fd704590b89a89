import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Definition, SETTING_NAMES, SETTINGS } from "../../src/cli/settings/settings-table.js";
import { BIN, Cli } from "../support/cli.js";
import { faultsIn, programOf } from "../support/typescript.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const readme = pageOf("README.md");
const pages = [
  "README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

describe("README.md", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "agno-chat-readme-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("shows programs that compile, and so do the pages in docs", () => {
    const programs = pages.flatMap((page) => blocksOf(pageOf(page), "ts"));
    expect(programs.length).toBeGreaterThan(5);
    const files = programs.map((_, index) => join(folder, `program-${index}.ts`));
    for (const [index, file] of files.entries()) writeFileSync(file, programs[index] as string);
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    expect(Object.fromEntries(faultsIn(programOf(files), files))).toEqual({});
  });

  it("shows shell commands that succeed", () => {
    const [commands = ""] = blocksOf(sectionOf("In a shell"), "sh");
    const lines = commands.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(5);
    const agnoChat = join(folder, "agno-chat");
    writeFileSync(agnoChat, `#!/bin/sh\nexec "${process.execPath}" "${BIN}" "$@"\n`);
    chmodSync(agnoChat, 0o755);
    writeFileSync(join(folder, "question.txt"), "What's my name?\n");
    const env = {
      ...process.env,
      AGNO_CHAT_HOME: join(folder, "home"),
      PATH: [folder, process.env.PATH].join(delimiter),
    };
    for (const line of lines) {
      const { status, stderr } = spawnSync("sh", ["-c", line], {
        cwd: folder,
        env,
        encoding: "utf8",
        input: "",
      });
      expect({ line, status, stderr }).toMatchObject({ status: 0 });
    }
  });

  it("shows a chat that the demo model answers in these words", async () => {
    const [shown = ""] = blocksOf(readme, "console");
    const input = [...shown.matchAll(/^\w+> (.*)$/gm)].map(([, line]) => `${line}\n`).join("");
    const replies = [...shown.matchAll(/^ {2}(.*)$/gm)].map(([, reply = ""]) => reply);
    const { stdout, stderr } = await new Cli().run(["--user", "alice"], { input });
    expect(replies.length).toBeGreaterThan(2);
    for (const reply of replies.filter((text) => !text.startsWith("Now talking")))
      expect(stdout, stderr).toContain(`${reply}\n`);
  });

  it("shows a script that passes", async () => {
    const [script = ""] = blocksOf(sectionOf("Scripts and CI"), "");
    const { code, stdout, stderr } = await new Cli().run(["run", "-"], { input: script });
    expect({ code, stdout, stderr }).toMatchObject({ code: 0 });
  });

  it("shows a request that the server answers", async () => {
    const [, body = ""] = /-d '(.*)'$/m.exec(readme) ?? [];
    const [, answer = ""] = /^# (\{.*)…"\}$/m.exec(readme) ?? [];
    const serve = new Cli().start(["serve", "--port", "0", "--json"]);
    await serve.shows("}");
    const { url } = JSON.parse(serve.stdout);
    const response = await fetch(`${url}/chat`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
    });
    expect(answer).not.toBe("");
    expect((await response.text()).startsWith(answer)).toBe(true);
  });

  it("leads to every page in docs", () => {
    for (const page of pages.slice(1)) expect(readme).toContain(`](${page})`);
  });
});

describe("docs", () => {
  it.each(pages)("%s links to files and headings that exist", (page) => {
    for (const [, path = "", heading] of pageOf(page).matchAll(LINK)) {
      const target = path === "" ? page : join(dirname(page), path);
      expect({ target, exists: existsSync(join(root, target)) }).toEqual({ target, exists: true });
      if (heading !== undefined) expect(headingsOf(pageOf(target)), target).toContain(heading);
    }
  });

  it("names only commands and flags that the program has", async () => {
    const cli = new Cli();
    const lines = pages.flatMap((page) => commandLinesOf(pageOf(page)));
    expect(lines.length).toBeGreaterThan(50);
    for (const line of lines) {
      const [, ...words] = line.split(" ");
      const end = words.findIndex((word) => !/^[a-z]+$/.test(word));
      const command = end === -1 ? words : words.slice(0, end);
      const { code, stdout } = await cli.run([...command, "--help"]);
      const flags = line.match(/(?<= )--?[a-z][a-z-]*/g) ?? [];
      const unknown = flags.filter((flag) => !new RegExp(`${flag}(?![a-z-])`).test(stdout));
      expect({ line, code, unknown }).toEqual({ line, code: 0, unknown: [] });
    }
  });

  it("has the table of settings that the program has", () => {
    const rows = SETTING_NAMES.map((name) => {
      const { flag, env, otherwise = "" }: Definition = SETTINGS[name];
      const code = (text: string | undefined) => (text === undefined ? "" : `\`${text}\``);
      return `| ${[name, code(flag), code(env), otherwise].join(" | ")} |`.replace(/ {2,}/g, " ");
    });
    expect(pageOf("docs/settings.md")).toContain(rows.join("\n"));
  });

  it("names every exit code the command line has", async () => {
    const { ERROR_TABLE } = await import("../../src/errors.js");
    const codes = new Set(Object.values(ERROR_TABLE).map(({ exit }) => exit));
    const page = pageOf("docs/shell.md");
    for (const code of codes) expect(page).toMatch(new RegExp(`^\\| .*\\b${code}\\b.* \\|`, "m"));
  });
});

/** A relative link: its path, empty on the same page, and its heading. */
const LINK = /\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g;

function pageOf(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** What pages tell to type, without comments, quoted texts and what other programs do with it. */
function commandLinesOf(markdown: string): string[] {
  const text = markdown.replaceAll("\\\n", "");
  return [...text.matchAll(/(?:^|`|npx )(agno-chat [^`\n]*)/gm)].map(([, line = ""]) =>
    line
      .replaceAll(/"[^"]*"|'[^']*'/g, "TEXT")
      .replace(/ *([#|>&]|<(?= )).*/, "")
      .trim(),
  );
}

/** As GitHub names them in links. */
function headingsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );
}

/** The fenced blocks of one language, without their fences. */
function blocksOf(markdown: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm");
  return [...markdown.matchAll(fence)].map(([, code = ""]) => code);
}

function sectionOf(title: string): string {
  const [, section] = readme.split(`\n## ${title}\n`);
  if (section === undefined) throw new Error(`README.md has no section "${title}"`);
  return section.split("\n## ")[0] ?? "";
}
