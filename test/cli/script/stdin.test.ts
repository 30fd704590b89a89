import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { inputFilesIn } from "../../../src/cli/terminal/input-files.js";
import { validateUserId } from "../../../src/ids.js";
import { BIN, Cli, temporaryFolder } from "../../support/cli.js";
import { ModelServer, silence, streamedText } from "../../support/model-server.js";

const DEMO = ["--model", "demo"];

test("/clear also deletes what that user has typed, but nothing of another's", async () => {
  const cli = new Cli();
  const typed = inputFilesIn(cli.home);
  const [alice, bob] = [validateUserId("alice"), validateUserId("bob")];
  for (const user of [alice, bob]) typed.append(user, `typed by ${user}`);
  const clear = (...flags: string[]) =>
    cli.run([...DEMO, "--user", "alice", ...flags], { input: "Hello\n/clear\n" });
  expect(await clear()).toMatchObject({ code: 2, stderr: expect.stringContaining("--yes") });
  expect(typed.read(alice)).not.toEqual([]);
  await clear("--yes");
  expect([typed.read(alice), typed.read(bob)]).toEqual([[], ["typed by bob"]]);
});

test("each line of a slow pipe is answered before the next one is written", async () => {
  const { child, shows, result } = started([...DEMO, "--user", "alice"]);
  child.stdin.write("My name is Alice\n");
  await shows("Nice to meet you, Alice!");
  child.stdin.write("# a comment\n\n/user bob\nWhat's my");
  child.stdin.write(" name?\n");
  await shows("I don't know your name");
  child.stdin.write("/user alice\n");
  child.stdin.write("What's my name?\n");
  await shows("Your name is Alice.");
  child.stdin.end("?size 4");
  expect(await result).toMatchObject({
    code: 0,
    stdout: `Nice to meet you, Alice! I will know your name as long as this conversation lasts.
I don't know your name: you have not told me in this conversation.
Your name is Alice.
`,
    stderr: `Now talking as bob, who is new.
Now talking as alice: 2 messages, the last just now.
stdin: 5 inputs, 1 expectation, 0 failed.
`,
  });
});

test("a failing line is reported at once, and the script ends before the next line", async () => {
  const { child, shows, result } = started(DEMO);
  child.stdin.write("/usr bob\n");
  await shows("agno-chat: stdin:1: There is no command /usr. Did you mean /user?\n", "stderr");
  child.stdin.write("Hello\n");
  expect(await result).toMatchObject({ code: 2, stdout: "" });
});

test("an expected failure does not end the script", async () => {
  const { child, shows, result } = started(DEMO);
  child.stdin.write("/usr bob\n");
  await shows("stdin:1", "stderr");
  child.stdin.write("?fails USAGE\nHello\n");
  await shows("Hello!");
  child.stdin.end("?size 2\n");
  expect(await result).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/\nstdin: 2 inputs, 2 expectations, 0 failed\.\n$/),
  });
});

test.each([
  ["/usr\nHello\n", 2],
  ["Hello\n?contains Bye\nHello\n", 5],
  ["/model gpt-5\nHello\n", 3],
  ["Hello\n/exit\n/usr\n", 0],
  ["exit\n", 0],
  ["", 0],
])("the first failing line of %j decides the exit code", async (input, code) => {
  expect((await new Cli().run(DEMO, { input })).code).toBe(code);
});

test("a reply is stored for the user who asked, even if /user bob already waits", async () => {
  const answer = deferred();
  const server = await modelServer(async (response, request) => {
    await answer.promise;
    await streamedText("the slow reply")(response, request);
  });
  const cli = new Cli();
  const asking = cli.start(["--base-url", server.url, "--model", "slow", "--user", "alice"]);
  const arrived = server.nextRequest();
  asking.child.stdin.end("Question of alice\n/user bob\n/size\n/user alice\n/size\n");
  await arrived;
  answer.resolve();
  const { code, stdout } = await asking.result;
  expect(code).toBe(0);
  expect(stdout).toMatch(/^the slow reply\nbob: 0 messages.*\nalice: 2 messages.*\n( {2}.*\n){3}$/);
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s while waiting for a line ends the script at once with %i", async (signal, code) => {
  const { child, shows, result } = started(DEMO);
  child.stdin.write("Hello\n");
  await shows("Hello!");
  child.kill(signal);
  expect(await result).toMatchObject({ code, signal: null, stderr: "" });
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s while a reply arrives ends the script at once with %i", async (signal, code) => {
  const server = await modelServer(silence());
  const asking = new Cli().start(["--base-url", server.url, "--model", "mute"]);
  const arrived = server.nextRequest();
  asking.child.stdin.write("Hello\n");
  await arrived;
  asking.child.kill(signal);
  expect(await asking.result).toMatchObject({ code, signal: null, stdout: "", stderr: "" });
});

test("a reader that stops early does not cause a failure", async () => {
  const script = path.join(temporaryFolder(), "long.chat");
  writeFileSync(script, "Hello\n".repeat(2_000));
  const line = `"$NODE" "$BIN" run "$SCRIPT" --model demo | head -n 1; echo "code \${PIPESTATUS[0]}"`;
  expect(await bash(line, { SCRIPT: script })).toEqual({
    stdout: "default> Hello\ncode 0\n",
    stderr: "",
  });
});

test.each(["--no-stdin", "</dev/null"])(
  "ask in a `while read` loop does not consume the loop's input: %s",
  async (guard) => {
    const loop = `printf 'Ann\\nBen\\nCy' | while read -r name || [ -n "$name" ]; do
    "$NODE" "$BIN" ask --model demo --user "$name" "My name is $name" ${guard}
  done`;
    const { stdout, stderr } = await bash(loop, { AGNO_CHAT_HOME: temporaryFolder() });
    expect(stdout.match(/Nice to meet you, \w+/g)).toEqual([
      "Nice to meet you, Ann",
      "Nice to meet you, Ben",
      "Nice to meet you, Cy",
    ]);
    expect(stderr).toBe("");
  },
);

function started(args: readonly string[]) {
  const begun = new Cli().start(args);
  return { child: begun.child, result: begun.result, shows: begun.shows.bind(begun) };
}

async function modelServer(...replies: Parameters<ModelServer["reply"]>): Promise<ModelServer> {
  const server = await ModelServer.start(replies);
  onTestFinished(() => server.close());
  return server;
}

function deferred() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

async function bash(line: string, env: Readonly<Record<string, string>>) {
  return promisify(execFile)("bash", ["-c", line], {
    env: { ...process.env, NODE: process.execPath, BIN, ...env },
  });
}

test("--keep-going reports every failing line of a pipe, and the first decides the exit code", async () => {
  const input = "/usr\nHello\n?contains Bye\n/size now\n";
  const { code, stdout, stderr } = await new Cli().run(["--keep-going", ...DEMO], { input });
  expect(code).toBe(2);
  expect(stdout).toContain("Hello!");
  expect(stderr.match(/stdin:\d/g)).toEqual(["stdin:1", "stdin:3", "stdin:4"]);
  expect(stderr).toContain("stdin: 3 inputs, 1 expectation, 3 failed.\n");
});
