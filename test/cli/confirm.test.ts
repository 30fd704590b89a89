import { describe, expect, it } from "vitest";
import { BIN, Cli, documentIn } from "../support/cli.js";
import { Pty } from "../support/pty.js";

async function introduced(): Promise<Cli> {
  const cli = new Cli({ AGNO_CHAT_MODEL: "demo" });
  await cli.run(["ask", "-u", "alice", "My name is Alice"]);
  return cli;
}

const sizeOf = async (cli: Cli) => (await cli.json(["size", "-u", "alice"])).messages;

describe("without a terminal to ask on", () => {
  it.each([[["clear", "-u", "alice"]], [["clear", "--all-users"]]])(
    "%j is NOT_CONFIRMED, exit code 2, and deletes nothing",
    async (args) => {
      const cli = await introduced();
      const { code, stdout, stderr } = await cli.run(args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(/^agno-chat: Not confirmed: Delete [^\n]+ Add --yes to confirm\.\n$/);
      const result = await cli.run([...args, "--json"], { input: "y\n" });
      expect(result.code).toBe(2);
      expect(documentIn(result).error.code).toBe("NOT_CONFIRMED");
      expect(await sizeOf(cli)).toBe(2);
    },
  );
});

describe("on a terminal", () => {
  const ask = async (cli: Cli, answer: (pty: Pty) => void) => {
    const pty = new Pty({
      file: process.execPath,
      args: [BIN, "clear", "-u", "alice"],
      env: { AGNO_CHAT_HOME: cli.home },
    });
    await pty.waitFor("Delete 2 messages of alice?");
    answer(pty);
    const { exitCode } = await pty.exited;
    const { everything } = pty;
    await pty.close();
    return { exitCode, shown: everything.join("\n") };
  };

  it("the question names the whole user and session, however long", async () => {
    const cli = new Cli({ AGNO_CHAT_MODEL: "demo" });
    const scope = ["-u", "u".repeat(255), "-s", "s".repeat(255)];
    await cli.run(["ask", ...scope, "Hello"]);
    const pty = new Pty({
      file: process.execPath,
      args: [BIN, "clear", ...scope],
      env: { AGNO_CHAT_HOME: cli.home },
    });
    const question = `Delete 2 messages of ${"u".repeat(255)} in ${"s".repeat(255)}?`;
    const letters = (text: string) => text.replace(/\s/g, "");
    await pty.waitFor((p) => letters(p.screen.join("")).includes(letters(question)));
    await pty.close();
  });

  it("yes deletes", async () => {
    const cli = await introduced();
    const { exitCode, shown } = await ask(cli, (pty) => pty.type("y\r"));
    expect(exitCode).toBe(0);
    expect(shown).toContain("Deleted 2 messages of alice.");
    expect(await sizeOf(cli)).toBe(0);
  });

  it.each(["n\r", "\r"])("%j deletes nothing", async (keys) => {
    const cli = await introduced();
    const { exitCode, shown } = await ask(cli, (pty) => pty.type(keys));
    expect(exitCode).toBe(2);
    expect(shown).toContain("Not confirmed: nothing was changed.");
    expect(await sizeOf(cli)).toBe(2);
  });

  it.each(["ctrl-c", "ctrl-d"] as const)("%s deletes nothing and is 130", async (key) => {
    const cli = await introduced();
    expect((await ask(cli, (pty) => pty.press(key))).exitCode).toBe(130);
    expect(await sizeOf(cli)).toBe(2);
  });

  it("Ctrl-C at the question for a key is 130, sets nothing and shows nothing of it", async () => {
    const cli = new Cli();
    const pty = new Pty({
      file: process.execPath,
      args: [BIN, "config", "set", "apiKey"],
      env: { AGNO_CHAT_HOME: cli.home },
    });
    await pty.waitFor("Key");
    pty.type("sk-typed");
    await pty.waitFor("********");
    pty.press("ctrl-c");
    expect((await pty.exited).exitCode).toBe(130);
    expect(pty.raw).not.toMatch(/sk-typed|unexpected/);
    await pty.close();
    expect((await cli.json(["config", "get", "apiKey"])).value).toBeNull();
  });

  it("SIGTERM deletes nothing and is 143", async () => {
    const cli = await introduced();
    expect((await ask(cli, (pty) => pty.kill("SIGTERM"))).exitCode).toBe(143);
    expect(await sizeOf(cli)).toBe(2);
  });
});
