import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keyFrom } from "../../../src/cli/settings/key-command.js";
import { commandIn } from "../../../src/cli/settings/stored-key.js";
import { AgnoChatError } from "../../../src/errors.js";

const never = new AbortController().signal;
const env = { PATH: process.env.PATH };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "key-command-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (command: string, options: { signal?: AbortSignal; limitMs?: number } = {}) =>
  keyFrom({ command, env }, { signal: never, ...options });

/** Whether the process still runs. A zombie does not. */
const runs = (id: number): boolean =>
  /^[^Z]/.test(spawnSync("ps", ["-o", "stat=", "-p", `${id}`], { encoding: "utf8" }).stdout);

test("a key that begins with an exclamation mark is a command", () => {
  expect(commandIn("!pass show openai")).toBe("pass show openai");
  expect(commandIn("! pass show openai ")).toBe("pass show openai");
  expect(commandIn("sk-!x")).toBeUndefined();
});

describe("the key a command prints", () => {
  test.each([
    ["alone", "printf sk-one"],
    ["with a line end", "echo sk-one"],
    ["with blanks and empty lines around it", "printf '\\n\\n  sk-one \\r\\n'"],
    ["with more lines below, as pass prints them", "printf 'sk-one\\nuser: alice\\n'"],
    ["out of a pipe", "echo one | sed s/^/sk-/"],
    ["beside complaints", "echo warning >&2; echo sk-one"],
  ])("is its first line: %s", async (_, command) => {
    expect(await run(command)).toBe("sk-one");
  });

  test("comes from a command that sees only the caller's environment", async () => {
    process.env.AGNO_CHAT_TEST_FOREIGN = "foreign";
    const command = 'echo "$VAULT-$AGNO_CHAT_TEST_FOREIGN"';
    expect(await keyFrom({ command, env: { ...env, VAULT: "work" } }, { signal: never })).toBe(
      "work-",
    );
    delete process.env.AGNO_CHAT_TEST_FOREIGN;
  });

  test("comes from a command without an input to wait for", async () => {
    expect(await run("cat; echo sk-one")).toBe("sk-one");
  });
});

describe("a command that prints no key", () => {
  const failureOf = async (command: string, options = {}): Promise<AgnoChatError> => {
    const thrown = await run(command, options).catch((error) => error);
    expect(thrown).toBeInstanceOf(AgnoChatError);
    expect(thrown.code).toBe("MODEL_NOT_CONFIGURED");
    return thrown;
  };

  test("is reported with its exit code, and without its output", async () => {
    const { message, hint, cause } = await failureOf("echo sk-out; echo sk-err >&2; exit 7");
    expect(message).toBe("The command that prints the key failed with exit code 7.");
    expect(`${message} ${hint} ${cause}`).not.toMatch(/sk-/);
  });

  test("is reported when it does not exist", async () => {
    expect((await failureOf("no-such-vault")).message).toMatch(/exit code 127/);
  });

  test("is reported when a signal kills it", async () => {
    expect((await failureOf("kill -TERM $$")).message).toMatch(/failed with SIGTERM/);
  });

  test.each(["true", "printf ' \\n\\n'"])(
    "is reported when it prints nothing: %s",
    async (command) => {
      expect((await failureOf(command)).message).toMatch(/printed nothing/);
    },
  );

  test("is reported when it is empty", async () => {
    expect((await failureOf("")).message).toMatch(/is missing/);
  });

  test("is killed after the time limit, with its child processes", async () => {
    const file = path.join(folder, "slow");
    const command = `sleep 600 & echo $! $$ > ${file}; wait`;
    expect((await failureOf(command, { limitMs: 300 })).message).toMatch(/longer than 0.3 s/);
    const [child, shell] = readFileSync(file, "utf8").split(" ").map(Number) as [number, number];
    await expect.poll(() => runs(child) || runs(shell)).toBe(false);
  });

  test("is abandoned even if a child process keeps its output open", async () => {
    const file = path.join(folder, "daemon");
    await failureOf(`setsid sleep 600 & echo $! > ${file}; wait`, { limitMs: 300 });
    process.kill(Number(readFileSync(file, "utf8")));
  });

  test("is killed after the time limit when it prints without end", async () => {
    expect((await failureOf("yes sk-one", { limitMs: 300 })).message).toMatch(/longer than/);
  });

  test("is killed at once when the caller aborts", async () => {
    const reason = new AgnoChatError("CANCELLED", "Interrupted.");
    const leaving = new AbortController();
    setTimeout(() => leaving.abort(reason), 50);
    await expect(run("sleep 600", { signal: leaving.signal })).rejects.toBe(reason);
    await expect(run("echo sk-one", { signal: leaving.signal })).rejects.toBe(reason);
  });
});
