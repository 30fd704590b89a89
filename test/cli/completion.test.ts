import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/command-table.js";
import { EXPORT_FORMATS } from "../../src/data/export-options.js";
import { USAGE_GROUPS } from "../../src/data/history-sum.js";
import { IMPORT_FORMATS } from "../../src/data/import/formats.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { userMessage } from "../../src/messages.js";
import { TOOLKIT_NAMES } from "../../src/tools/open-toolkits.js";
import { Cli } from "../support/cli.js";
import { fileOfAlice, temporaryFile } from "../support/memory-file.js";

/** What fish would offer after these words, the last of which is being typed. */
async function offered(line: string, cli = new Cli()): Promise<string[] | "files"> {
  const { code, stdout, stderr } = await cli.run(["__complete", "fish", `agno-chat ${line}`]);
  expect(stderr).toBe("");
  if (code !== 0) return "files";
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((row) => row.split("\t")[0] ?? "");
}

/** A command line whose store holds these users, each with these sessions. */
async function cliWith(
  users: readonly string[],
  sessions: readonly string[] = ["default"],
): Promise<Cli> {
  const cli = new Cli();
  const memory = new SqliteMemory(join(cli.home, "chat.db"));
  for (const user of users)
    for (const sessionId of sessions) await memory.add(userMessage("hi"), user, { sessionId });
  await memory.close();
  return cli;
}

/** Changes a memory file behind our back. */
function change(path: string, sql: string): void {
  const file = new DatabaseSync(path);
  file.exec(sql);
  file.close();
}

describe("completion of what the table of commands knows", () => {
  it("offers every command that help lists, and those below one", async () => {
    const shown = COMMANDS.filter(({ hidden }) => !hidden).map(({ name }) => name);
    expect(await offered("")).toEqual([...shown, "help"]);
    expect(await offered("us")).toEqual(["users"]);
    expect(await offered("help us")).toEqual(["users"]);
    expect(await offered("store ")).toEqual(["init", "check", "migrate", "salvage", "copy"]);
    expect(await offered("-q --user alice store in")).toEqual(["init"]);
  });

  it("offers a command's own flags and the common ones", async () => {
    expect(await offered("export --fo")).toEqual(["--format", "--force"]);
    expect(await offered("export --us")).toEqual(["--user"]);
    expect(await offered("store copy --dry")).toEqual(["--dry-run"]);
    expect(await offered("size --format")).toEqual([]);
    expect(await offered("--no-st")).toEqual(["--no-stdin"]);
  });

  it("offers the values of a flag or argument that are fixed, also behind =", async () => {
    expect(await offered("export --format ")).toEqual([...EXPORT_FORMATS]);
    expect(await offered("export --format=j")).toEqual(["--format=json", "--format=jsonl"]);
    expect(await offered("import --from ")).toEqual([...IMPORT_FORMATS]);
    expect(await offered("stats --by ")).toEqual([...USAGE_GROUPS]);
    expect(await offered("serve --auth ")).toEqual(["tokens"]);
    expect(await offered("verify --as ")).toEqual(["chat", "openai", "a2a"]);
    expect(await offered("--tools ")).toEqual([...TOOLKIT_NAMES]);
    expect(await offered("--tools clock,")).toEqual(["clock,calculator", "clock,notes"]);
    expect(await offered("config s")).toEqual(["set"]);
    expect(await offered("config set mo")).toEqual(["model"]);
    expect(await offered("completion ")).toEqual(["bash", "zsh", "fish"]);
  });

  it("offers the demo model and the one in the settings", async () => {
    const cli = new Cli({ AGNO_CHAT_MODEL: "qwen3" });
    expect(await offered("-m ", cli)).toEqual(["demo", "qwen3"]);
  });

  it("leaves names of files to the shell, and offers nothing for text", async () => {
    for (const line of ["run ", "export -o ", "ask --schema x", "store check ", "serve --config="])
      expect(await offered(line)).toBe("files");
    for (const line of ["ask wh", "--system ", "ask -- --js", "size ", "xyzzy "])
      expect(await offered(line)).toEqual([]);
  });
});

describe("completion of users and sessions", () => {
  it("offers the users of the store in the settings or on the line", async () => {
    const cli = await cliWith(["alice", "alan", "bob"]);
    expect(await offered("ask -u al", cli)).toEqual(["alan", "alice"]);
    expect(await offered("--user=b", cli)).toEqual(["--user=bob"]);
    expect(await offered(`--store sqlite:${await fileOfAlice()} -u `, cli)).toEqual(["alice"]);
    expect(await offered("--store memory: -u ", cli)).toEqual([]);
  });

  it("offers the sessions of the user on the line, else in the environment, and nobody else's", async () => {
    const cli = await cliWith(["alice"], ["trip", "work"]);
    const memory = new SqliteMemory(join(cli.home, "chat.db"));
    await memory.add(userMessage("hi"), "bob", { sessionId: "secret" });
    await memory.close();
    expect(await offered("-u alice -s ", cli)).toEqual(["trip", "work"]);
    expect(await offered("-u bob size --session=", cli)).toEqual(["--session=secret"]);
    expect(await offered("-u carol -s ", cli)).toEqual([]);
    const { stdout } = await cli.run(["__complete", "fish", "agno-chat -s t"], {
      env: { AGNO_CHAT_USER: "alice" },
    });
    expect(stdout).toBe("trip\n");
  });

  it("offers at most 200", async () => {
    const path = await fileOfAlice();
    change(
      path,
      `WITH RECURSIVE n (i) AS (VALUES (10) UNION ALL SELECT i + 1 FROM n WHERE i < 300)
       INSERT INTO users SELECT i, 'user-' || i, 1, 1, 1, 1, 0 FROM n`,
    );
    expect(await offered(`--store sqlite:${path} -u `)).toHaveLength(200);
  });

  it("makes no store, changes no byte of one, and leaves an older schema as it is", async () => {
    const cli = new Cli();
    expect(await offered("-u ", cli)).toEqual([]);
    expect(readdirSync(cli.home)).toEqual([]);
    const path = await fileOfAlice();
    change(path, "PRAGMA user_version = 1");
    const state = () => [readFileSync(path), readdirSync(dirname(path))];
    const before = state();
    expect(await offered(`--store sqlite:${path} -u `)).toEqual(["alice"]);
    expect(state()).toEqual(before);
  });

  it("offers no name that an id cannot have, such as one with control characters", async () => {
    const path = await fileOfAlice();
    change(path, "UPDATE users SET user_id = 'a' || char(27) || '[2J'");
    expect(await offered(`--store sqlite:${path} -u `)).toEqual([]);
  });

  it("says nothing about a store, setting or shell that it cannot use", async () => {
    const cli = new Cli({ AGNO_CHAT_USER: "\n" });
    const text = temporaryFile("text.db");
    writeFileSync(text, "not a database");
    for (const args of [
      ["fish", "agno-chat -u "],
      ["fish", "agno-chat --store nowhere: -u "],
      ["fish", `agno-chat --store sqlite:${text} -u `],
      ["fish", "agno-chat --store postgres://127.0.0.1:1/x -u "],
      ["tcsh", "agno-chat "],
      [],
    ])
      expect(await cli.run(["__complete", ...args])).toEqual({ code: 0, stdout: "", stderr: "" });
  });
});

describe("agno-chat completion", () => {
  it("prints a script for each shell", async () => {
    for (const shell of ["bash", "zsh", "fish"]) {
      const { code, stdout, stderr } = await new Cli().run(["completion", shell]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toContain(`agno-chat __complete ${shell} `);
    }
  });

  it("names the shells that it knows", async () => {
    const { code, stderr } = await new Cli().run(["completion", "basch"]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'agno-chat: There is no completion for "basch". Did you mean bash?\n',
    });
    expect((await new Cli().run(["completion", "tcsh-5"])).stderr).toContain("bash, zsh, fish");
  });
});
