import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { BIN, Cli, type CliOptions, temporaryFolder } from "../support/cli.js";

const WAITING = "Waiting for input on stdin. To skip it: --no-stdin\n";

/** Runs `ask` and returns the user message it stored. */
async function asked(cli: Cli, args: readonly string[], options: CliOptions = {}): Promise<string> {
  expect(await cli.run(["ask", ...args], options)).toMatchObject({ code: 0, stderr: "" });
  return (await cli.json(["export"])).messages.at(-2).content;
}

const demo = () => new Cli({ AGNO_CHAT_MODEL: "demo" });

it("is the prompt when there is no argument", async () => {
  expect(await asked(demo(), [], { input: "Hello\nthere\n" })).toBe("Hello\nthere");
});

it("stands before the argument, with a blank line between", async () => {
  expect(await asked(demo(), ["Sum", "it up"], { input: "  a\n  b\n\n" })).toBe(
    "  a\n  b\n\nSum it up",
  );
});

it.each(["", " \n\t\n"])("leaves the argument alone when it holds only %j", async (input) => {
  expect(await asked(demo(), ["Hello"], { input })).toBe("Hello");
});

it("is not read with --no-stdin, though it never ends", async () => {
  const input = new PassThrough();
  expect(await asked(demo(), ["Hello", "--no-stdin"], { input })).toBe("Hello");
  expect(await demo().run(["ask", "--no-stdin"], { input })).toMatchObject({ code: 2 });
});

it("may be longer than a pipe, and cut inside a character", async () => {
  const input = new PassThrough();
  const bytes = Buffer.from("é世😀".repeat(50_000));
  for (let start = 0; start < bytes.length; start += 65_521)
    input.write(bytes.subarray(start, start + 65_521));
  input.end();
  expect(await asked(demo(), [], { input })).toBe(bytes.toString());
});

it("that does not arrive is named on stderr after a second, and Ctrl-C ends the wait with 130", async () => {
  const started = demo().begin(["ask", "Hello"], { input: new PassThrough() });
  await started.stderr.shows(WAITING);
  started.emit("SIGINT");
  expect(await started.result).toEqual({ code: 130, stdout: "", stderr: WAITING });
});

it("that arrives in time is read without a note", async () => {
  const input = new PassThrough();
  const started = demo().begin(["ask"], { input });
  input.end("Hello");
  expect(await started.result).toMatchObject({ code: 0, stderr: "" });
});

it.each(["a file", "/dev/null", "nothing: it is closed", "an open pipe, with --no-stdin"])(
  "of a real process may be %s",
  async (kind) => {
    const home = temporaryFolder();
    const file = join(home, "prompt.txt");
    writeFileSync(file, "My name is Alice\n");
    const fd = openSync(kind === "a file" ? file : "/dev/null", "r");
    const redirect = kind.startsWith("nothing") ? "exec 0<&-;" : "";
    const noStdin = kind.includes("--no-stdin") ? ["--no-stdin"] : [];
    const child = spawn(
      "sh",
      ["-c", `${redirect} exec "$@"`, "sh", process.execPath, BIN, "ask", ...noStdin, "Hello"],
      {
        env: { ...process.env, AGNO_CHAT_HOME: home, AGNO_CHAT_MODEL: "demo" },
        stdio: [noStdin.length > 0 ? "pipe" : fd, "pipe", "pipe"],
      },
    );
    closeSync(fd);
    let stderr = "";
    child.stderr?.on("data", (chunk) => {
      stderr += chunk;
    });
    const [code] = await once(child, "close");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const cli = new Cli({ AGNO_CHAT_HOME: home });
    const { messages } = await cli.json(["export"]);
    expect(messages[0].content).toBe(kind === "a file" ? "My name is Alice\n\nHello" : "Hello");
  },
);

it("is the prompt where the prompt is -", async () => {
  expect(await asked(demo(), ["-"], { input: "Hello\nthere\n" })).toBe("Hello\nthere");
  const cli = demo();
  await cli.run(["-p", "-"], { input: "Hello" });
  expect((await cli.json(["export"])).messages[0].content).toBe("Hello");
});

it("cannot be the prompt together with --no-stdin", async () => {
  const { code, stderr } = await demo().run(["ask", "-", "--no-stdin"], { input: "Hello" });
  expect(code).toBe(2);
  expect(stderr).toContain("--no-stdin");
});

it("is text between other words", async () => {
  expect(await asked(demo(), ["a", "-", "b"])).toBe("a - b");
});

it("is the script where the script is -", async () => {
  const { code, stdout, stderr } = await demo().run(["run", "-"], {
    input: "/user bob\nHello\n?size 3\n",
  });
  expect(code).toBe(5);
  expect(stdout).toContain("bob> Hello\n  Hello!");
  expect(stderr).toContain("stdin:3: expected 3 messages, but there are 2");
});
