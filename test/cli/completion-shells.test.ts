import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { userMessage } from "../../src/messages.js";
import { BIN, Cli, temporaryFolder } from "../support/cli.js";
import { Pty } from "../support/pty.js";

const USERS = ["alice", "al ice", "it's", "a:b", "zoë 😀", 'say "hi"', "x@y.org", "b\\s", "$HOME"];

interface Shell {
  readonly name: string;
  readonly args: readonly string[];
  /** Lines to type at its prompt. Each shell prints READY at the end. */
  readonly setUp: string;
}

const SHELLS: readonly Shell[] = [
  {
    name: "bash",
    args: ["--norc", "--noprofile", "-i"],
    setUp: `PS1='% '; eval "$(agno-chat completion bash)"; echo REA''DY`,
  },
  {
    name: "zsh",
    args: ["-f", "-i"],
    setUp: `PS1='%% '; autoload -Uz compinit; compinit -u -D; eval "$(agno-chat completion zsh)"; echo REA''DY`,
  },
  {
    name: "fish",
    args: ["--no-config", "-i"],
    setUp: `function fish_prompt; echo '% '; end; agno-chat completion fish | source; echo REA''DY`,
  },
];

const isInstalled = ({ name }: Shell): boolean =>
  spawnSync("sh", ["-c", `command -v ${name}`]).status === 0;

/** A folder with an `agno-chat` that completes as ours does, and otherwise shows its arguments. */
function folderOfShim(): string {
  const folder = temporaryFolder();
  const shim = join(folder, "agno-chat");
  const [node, bin] = [process.execPath, BIN].map((path) => JSON.stringify(path));
  writeFileSync(
    shim,
    `#!/bin/sh
case "$1" in completion | __complete) exec ${node} ${bin} "$@" ;; esac
printf 'GOT'; printf ' <%s>' "$@"; echo .
`,
  );
  chmodSync(shim, 0o755);
  return folder;
}

/** An interactive shell with our completion, in a terminal. */
async function startShell({ name, args, setUp }: Shell): Promise<Pty> {
  const { home } = new Cli();
  const memory = new SqliteMemory(join(home, "chat.db"));
  for (const user of USERS) await memory.add(userMessage("hi"), user, { sessionId: "my trip" });
  await memory.close();
  const folder = folderOfShim();
  writeFileSync(join(folder, "my chat.script"), "");
  const pty = new Pty({
    file: "/usr/bin/env",
    args: [name, ...args],
    cwd: folder,
    columns: 120,
    rows: 50,
    env: {
      AGNO_CHAT_HOME: home,
      HOME: folder,
      PATH: [folder, process.env.PATH].join(delimiter),
    },
  });
  onTestFinished(() => pty.close());
  pty.type(`${setUp}\r`);
  await pty.waitFor(/^READY/m);
  return pty;
}

/** What is typed, and the arguments that the command then gets. */
const COMPLETED: readonly (readonly [typed: string, args: readonly string[]])[] = [
  ["us\t", ["users"]],
  ["ask --us\tali\t", ["ask", "--user", "alice"]],
  ["-u a:\t", ["-u", "a:b"]],
  ['-u "al i\t', ["-u", "al ice"]],
  ["-u it\t", ["-u", "it's"]],
  ["-u 'it\t", ["-u", "it's"]],
  ['-u "say\t', ["-u", 'say "hi"']],
  ["--user=x@\t", ["--user=x@y.org"]],
  ["-u zo\t-s m\t", ["-u", "zoë 😀", "-s", "my trip"]],
  ["-u b\t", ["-u", "b\\s"]],
  ["-u \\$\t", ["-u", "$HOME"]],
  ["run my\t", ["run", "my chat.script"]],
];

/** The lines that the command has printed, each with its arguments. */
const gotBy = (pty: Pty): string[] =>
  pty.everything.filter((line) => line.startsWith("GOT") && line.endsWith("."));

describe.each(SHELLS)("completion in $name", (shell) => {
  it.skipIf(!isInstalled(shell))(
    `completes what is typed to words that it passes on unchanged (needs ${shell.name})`,
    async () => {
      const pty = await startShell(shell);
      for (const [index, [typed, args]] of COMPLETED.entries()) {
        pty.type(`agno-chat ${typed}\r`);
        await pty.waitFor((p) => gotBy(p).length > index);
        expect({ typed, got: gotBy(pty).at(-1) }).toEqual({
          typed,
          got: `GOT${args.map((arg) => ` <${arg}>`).join("")}.`,
        });
      }
    },
    20_000,
  );
});
