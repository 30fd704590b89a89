import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Context } from "../../src/cli/command-context.js";
import { type CommandSpec, reads } from "../../src/cli/command-spec.js";
import { commandsByPath } from "../../src/cli/command-table.js";
import { COMMON_OPTIONS, type CommonName, EVERYWHERE } from "../../src/cli/common-options.js";
import { typedLine } from "../../src/cli/completion/shell-words.js";
import { manPage } from "../../src/cli/manual/man-page.js";
import { type OptionRow, partsOf } from "../../src/cli/option-row.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { userMessage } from "../../src/messages.js";
import { Cli } from "../support/cli.js";
import { recordingReads } from "../support/recorded-reads.js";

/** What a command gets in place of its context. */
let given = async (context: () => Promise<Context>): Promise<Context> => context();

vi.mock("../../src/cli/command-context.js", async (load) => {
  const real = await load<typeof import("../../src/cli/command-context.js")>();
  const createContext: typeof real.createContext = (parts) =>
    given(() => real.createContext(parts));
  return { ...real, createContext };
});

beforeEach(() => {
  given = (context) => context();
});

const ALL = [...commandsByPath()];
/** Those that do something, and are not only a name for the ones below them. */
const LEAVES = ALL.filter(([, { commands }]) => commands === undefined);

/** Those that the help knows; the other one is the program itself. */
const SHOWN = ALL.filter(([, { hidden }]) => !hidden);

const helpOf = async (path: string): Promise<string> => {
  const { code, stdout, stderr } = await new Cli().run([...wordsOf(path), "--help"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
};

const wordsOf = (path: string): string[] => (path === "" ? [] : path.split(" "));

const flagsOf = (rows: readonly OptionRow[]): string[] =>
  rows.flatMap(([flags]) => partsOf(flags).names.slice(-1));

/** The long flags that a command reads, according to the table. */
const tableFlags = ({ options = {}, ...spec }: CommandSpec): string[] => [
  ...flagsOf(Object.values(options)),
  ...flagsOf([...COMMON_OPTIONS].flatMap(([name, row]) => (isRead(spec, name) ? [row] : []))),
];

const isRead = (spec: CommandSpec, name: CommonName): boolean =>
  reads(spec, name) || EVERYWHERE.includes(name);

const sorted = (flags: readonly string[]): string[] => [...flags].sort();

const longFlagsIn = (text: string): string[] =>
  sorted(text.match(/(?<![\w-])--[a-z][a-z-]*/g) ?? []);

const EVERYWHERE_FLAGS = flagsOf(
  [...COMMON_OPTIONS].flatMap(([name, row]) => (EVERYWHERE.includes(name) ? [row] : [])),
);

describe("the help of a command", () => {
  it.each(SHOWN)("of %s names the options that it reads, and no other", async (path, spec) => {
    const help = await helpOf(path);
    const explained = help.match(/^ {2}-.*?(?= {2}|$)/gm)?.join(" ") ?? "";
    const [, also = ""] = /\nAlso, explained in agno-chat --help: ([\s\S]*?)\.\n/.exec(help) ?? [];
    expect(longFlagsIn(`${explained} ${also}`)).toEqual(sorted([...tableFlags(spec), "--help"]));
  });

  it.each(SHOWN)("of %s is what Tab offers and the manual page says", async (path, spec) => {
    const { stdout } = await new Cli().run(["__complete", "fish", `agno-chat ${path} --`]);
    const offered = longFlagsIn(stdout.replace(/\t.*/g, ""));
    expect(offered).toEqual(sorted([...tableFlags(spec), "--help"]));
    const page = manPage()
      .replace(/\\f[BIR]/g, "")
      .replaceAll("\\-", "-");
    const [, entry = ""] = new RegExp(`\\.SS ${path}\\b.*\\n([^]*?)\\n\\.S[SH] `).exec(page) ?? [];
    const named = [...(entry.match(/(?<=^\.TP\n).*/gm) ?? []), /^Also: .*/m.exec(entry)?.[0]];
    expect(longFlagsIn(named.join(" "))).toEqual(
      sorted(tableFlags(spec).filter((flag) => !EVERYWHERE_FLAGS.includes(flag))),
    );
  });

  it.each(["", ...SHOWN.map(([path]) => path)])(
    "of %j fits a terminal of 80 columns, and is not long",
    async (path) => {
      const lines = (await helpOf(path)).trimEnd().split("\n");
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
      // A screen of 24 lines shows it together with the next prompt.
      if (!["", "ask", "serve", "verify"].includes(path)) expect(lines.length).toBeLessThan(24);
    },
  );

  it.each(["", ...SHOWN.map(([path]) => path)])("of %j has examples that run", async (path) => {
    const [, text = ""] = /\nExamples:\n((?: {2}.*\n)+)$/.exec(await helpOf(path)) ?? [];
    const examples = text.trimEnd().split("\n");
    expect(examples.length).toBeLessThan(6);
    const isAccepted = vi.fn(() => Promise.reject(new Error("far enough")));
    given = isAccepted;
    for (const line of examples.filter((each) => !each.includes("--help"))) {
      const [, typed = ""] = /agno-chat ([^|)>#]*)/.exec(line) ?? [];
      const { words, current } = typedLine(typed.trimEnd());
      isAccepted.mockClear();
      const { stderr } = await new Cli().run([...words, current]);
      expect(isAccepted, `${line}: ${stderr}`).toHaveBeenCalledOnce();
    }
  });

  it("is shown by the word help, also for a command below another, with 0", async () => {
    for (const path of ["size", "store init"]) {
      const shown = await new Cli().spawn(["help", ...path.split(" ")]);
      expect(shown).toMatchObject({ code: 0, stdout: await helpOf(path), stderr: "" });
    }
  });
});

/** Of each command, lines that together make it read all that it can read. */
const LINES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  repl: [["-y"]],
  ask: [
    ["--model", "demo", "Hello"],
    ["--model", "demo", "-i", "Hello"],
    ["--json", "Hello"],
  ],
  users: [[]],
  size: [[]],
  search: [["hello"]],
  stats: [[]],
  export: [[]],
  import: [["HOME/messages.json", "--from", "openai"]],
  clear: [["--yes"]],
  backup: [["HOME/backup.db"]],
  context: [["--model", "demo"], ["--json"]],
  run: [["HOME/script.chat"]],
  demo: [[]],
  serve: [["--port", "0", "--remove-inactive", "1d"]],
  prune: [["--inactive", "0s", "--yes"]],
  verify: [["--live", "--yes", "--users", "3", "--runs", "3"]],
  "token create": [["-u", "alice"]],
  "token list": [["-u", "alice"]],
  "token revoke": [["-u", "alice", "--yes"]],
  "limit set": [["-u", "alice", "--runs-at-once", "2"]],
  "limit list": [[]],
  "limit remove": [["-u", "alice"]],
  "store init": [["--store", "postgres://host/database", "--print-sql"]],
  "store check": [[]],
  "store migrate": [[]],
  "store salvage": [["HOME/salvaged.db"]],
  "store copy": [["--from", "sqlite:HOME/source.db", "--to", "sqlite:HOME/target.db"]],
  models: [
    ["--model", "demo"],
    ["--base-url", "http://127.0.0.1:1/v1"],
  ],
  config: [["list"]],
  completion: [["bash"]],
};

describe("a command", () => {
  it("is in this test", () => {
    expect(Object.keys(LINES)).toEqual(LEAVES.map(([path]) => path));
  });

  it.each(LEAVES)(
    "%s reads what its help names, and nothing else",
    async (path, spec) => {
      const cli = await cliWithAlice();
      const read = new Set<string>();
      given = async (context) => recordingReads(await context(), (name) => read.add(name));
      for (const line of LINES[path] ?? []) await runToEnd(cli, path, line);
      const found = [...COMMON_OPTIONS.keys()].filter((name) => isFound(spec, name, read));
      expect(found).toEqual(
        [...COMMON_OPTIONS.keys()].filter((name) => reads(spec, name) && !ELSEWHERE.includes(name)),
      );
    },
    30_000,
  );
});

/** program.ts itself makes a store of `--no-save`, and `ask` of `-p`. */
const ELSEWHERE: readonly CommonName[] = ["save", "print"];

function isFound(spec: CommandSpec, name: CommonName, read: ReadonlySet<string>): boolean {
  const isNoFlag = spec.fixed !== undefined && !["json", "yes"].includes(name);
  const isSaid = [...EVERYWHERE, ...ELSEWHERE, ...(spec.refuses ?? [])].includes(name);
  return read.has(name) && !isNoFlag && !isSaid;
}

/** A home in which alice has said something and has a token, with the files of `LINES`. */
async function cliWithAlice(): Promise<Cli> {
  const cli = new Cli({ AGNO_CHAT_USER: "alice" });
  writeFileSync(join(cli.home, "messages.json"), JSON.stringify([userMessage("Hi")]));
  writeFileSync(join(cli.home, "script.chat"), "Hello\n/stats\n");
  for (const file of ["chat.db", "source.db"]) {
    const memory = new SqliteMemory(join(cli.home, file));
    await memory.add(userMessage("Hello"), "alice");
    await memory.tokens?.create("alice");
    await memory.limits?.set("alice", { runsAtOnce: 3 });
    await memory.close();
  }
  return cli;
}

/** Types `/stats` where there is a chat, and stops a server. */
async function runToEnd(cli: Cli, path: string, line: readonly string[]): Promise<void> {
  const args = [...path.split(" "), ...line.map((word) => word.replace("HOME", cli.home))];
  const stdin = Readable.from([Buffer.from("/stats\n")]);
  const running = cli.begin(args, {
    input: line.includes("-i") ? Object.assign(stdin, { isTTY: true }) : stdin,
  });
  if (path === "serve") {
    await running.stderr.shows("Deleted");
    running.emit("SIGTERM");
  }
  await running.result;
}
