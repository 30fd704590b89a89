import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { Cli, type CliOptions, type CliResult, temporaryFolder } from "../../support/cli.js";

/** Runs a script of this content as `<folder>/x.chat`. The folder is removed from the output. */
async function run(
  script: string | Uint8Array,
  { flags = [], env }: { flags?: string[] } & Pick<CliOptions, "env"> = {},
): Promise<CliResult> {
  const folder = temporaryFolder();
  const file = path.join(folder, "x.chat");
  writeFileSync(file, script);
  const args = ["run", file, "--model", "demo", ...flags];
  const { code, stdout, stderr } = await new Cli({ AGNO_CHAT_HOME: "", ...env }).run(args);
  const short = (text: string) => text.replaceAll(`${folder}/`, "");
  return { code, stdout: short(stdout), stderr: short(stderr) };
}

test("a script reads like a conversation, and ends with a summary", async () => {
  const script = `# Names
# are kept apart.
/user alice
My name is Alice
?contains Alice
/new work
"""
/clear
is text
"""
?size 2
/as bob What's my name?
?not-contains Alice

# The end
/usr
?fails USAGE
?contains Did you mean /user
`;
  expect(await run(script)).toEqual({
    code: 0,
    stdout: `# Names
# are kept apart.
default> /user alice
alice> My name is Alice
  Nice to meet you, Alice! I will know your name as long as this conversation lasts.
alice> /new work
alice/work> /clear
… is text
  You said “/clear is text”. I am only a demo model that works offline, so I have no real answer to that. Ask for \`help\` to see what I can do.
alice/work> /as bob What's my name?
  I don't know your name: you have not told me in this conversation.

# The end
alice/work> /usr
  x.chat:16: There is no command /usr. Did you mean /user?
`,
    stderr: `  Now talking as alice, who is new.
  New session work of alice.
x.chat: 6 inputs, 5 expectations, 0 failed.
`,
  });
});

const NOT_SET = `The environment variable NOWHERE is not set. Set it, or write $\${NOWHERE} for the literal text.`;

const TWO_LINES = "My name is Alice\nWhat's my name?\n";

test.each([
  ["?contains Bob", 5, `expected the output to contain "Bob", but it was "Your name is Alice."`],
  [
    "?not-contains Alice",
    5,
    `expected the output not to contain "Alice", but it was "Your name is Alice."`,
  ],
  ["?equals Alice", 5, `expected the output to be "Alice", but it was "Your name is Alice."`],
  ["?matches ^Alice", 5, `expected the output to match "^Alice", but it was "Your name is Alice."`],
  [
    "?matches /^alice/i",
    5,
    `expected the output to match "/^alice/i", but it was "Your name is Alice."`,
  ],
  ["?size 3", 5, "expected 3 messages, but there are 4"],
  ["?fails USAGE", 5, "expected it to fail with USAGE, but it did not fail"],
  ["?contain Alice", 2, "There is no expectation ?contain. Did you mean ?contains?"],
  ["?Contains Alice", 2, "There is no expectation ?Contains. Did you mean ?contains?"],
  [
    "?xyzzyxyzzy",
    2,
    'There is no expectation ?xyzzyxyzzy. Known: ?contains, ?not-contains, ?equals, ?matches, ?size, ?fails. Put a message that begins with ? into a """ block.',
  ],
  ["?contains", 2, "?contains needs an argument."],
  ["?size many", 2, '?size takes a number of messages, not "many".'],
  ["?matches (", 2, '?matches got an invalid pattern: "(".'],
  ["?fails USGE", 2, 'There is no error code "USGE". Did you mean USAGE?'],
  [`?contains \${NOWHERE}`, 2, NOT_SET],
  [`Hi \${NOWHERE}`, 2, NOT_SET],
  ["/usr bob", 2, "There is no command /usr. Did you mean /user?"],
  ["/user a\u200bb", 2, 'Invalid user id "a\\u200bb"'],
  ["/history many", 2, '/history takes a number of messages, not "many".'],
  ["/model gpt-5", 3, 'The model "gpt-5" needs a key or a server.'],
  [
    '"""\nnever ended',
    2,
    'The block that begins here is never closed. Close it with a line that holds only """.',
  ],
])("a script stops at the line that fails: %s", async (line, code, said) => {
  const { stderr, ...result } = await run(`${TWO_LINES}\n${line}\n/never`);
  expect(result.code).toBe(code);
  expect(stderr.split("\n")).toEqual([
    expect.stringContaining(`agno-chat: x.chat:4: ${said}`),
    expect.stringMatching(/^x\.chat: [23] inputs, [01] expectations?, 1 failed\.$/),
    "",
  ]);
  expect(result.stdout).not.toContain("/never");
});

test("an unexpected failure names both the expected and the actual code", async () => {
  const { code, stderr } = await run("/usr bob\n?fails MODEL_AUTH\n");
  expect(code).toBe(5);
  expect(
    stderr,
  ).toBe(`agno-chat: x.chat:2: expected it to fail with MODEL_AUTH, but it failed with USAGE (x.chat:1: There is no command /usr.)
x.chat: 1 input, 1 expectation, 1 failed.
`);
});

test("?fails applies to the input before it, even across comments, and to no other", async () => {
  expect((await run("/usr\n\n# on purpose\n?fails USAGE\nHi\n?contains Hello\n")).code).toBe(0);
  const twice = await run("/usr\n/usr\n?fails USAGE\n", { flags: ["--keep-going"] });
  expect(twice.code).toBe(2);
  expect(twice.stderr).toMatch(/^agno-chat: x\.chat:1: There is no command/);
  expect(twice.stderr).toContain("2 inputs, 1 expectation, 1 failed.");
});

test("after ?fails the others check what the error says, wherever it stands in the script", async () => {
  const said = "There is no command /usr. Did you mean /user?";
  const script = `\n\n/usr bob\n?fails USAGE\n?equals ${said}\n?not-contains x.chat\n`;
  expect(await run(script)).toMatchObject({ code: 0 });
});

test("--keep-going reports every failure in order, and the first decides the exit code", async () => {
  const script = "Hi\n?contains Bob\n/usr\n?contain x\nHi\n?equals Bye\n";
  const { code, stderr } = await run(script, { flags: ["--keep-going"] });
  expect(code).toBe(5);
  expect(stderr.match(/x\.chat:\d+/g)).toEqual(["x.chat:2", "x.chat:3", "x.chat:4", "x.chat:6"]);
  expect(stderr).toMatch(/\nx\.chat: 3 inputs, 3 expectations, 4 failed\.\n$/);
});

test("--json is one document, with every failure and its line", async () => {
  const good = await run("Hi\n?contains Hello\n", { flags: ["--json"] });
  expect(good).toEqual({
    code: 0,
    stdout: `${JSON.stringify({ ok: true, script: "x.chat", inputs: 1, expectations: 1, failures: [] })}\n`,
    stderr: "",
  });
  const bad = await run("/usr\nHi\n?size 9\n", { flags: ["--json", "--keep-going"] });
  const first = {
    code: "USAGE",
    message: "x.chat:1: There is no command /usr.",
    hint: "Did you mean /user?",
  };
  const second = {
    code: "EXPECTATION_FAILED",
    message: "x.chat:3: expected 9 messages, but there are 2",
    hint: null,
  };
  expect(bad).toMatchObject({ code: 2, stderr: "" });
  expect(JSON.parse(bad.stdout)).toEqual({
    ...{ ok: false, error: first, script: "x.chat", inputs: 2, expectations: 1 },
    failures: [
      { line: 1, ...first },
      { line: 3, ...second },
    ],
  });
});

test("the value of a variable is text, never a command or a switch of user", async () => {
  const env = { WHO: "Alice", TRICK: "/as bob Hello", ID: "carol" };
  const script = `My name is \${WHO}
?contains \${WHO}
\${TRICK}
?contains You said “/as bob Hello”
/user \${ID}
/whoami
?contains carol
"""
$\${WHO} \${WHO} \${who} $WHO
"""
?contains “$\${WHO} Alice \${who} $WHO”
/users
?not-contains bob
`;
  const { code, stdout, stderr } = await run(script, { env });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stdout).toContain(`default> My name is \${WHO}\n`);
});

test.each([
  ["Windows line ends", "My name is Alice\r\n# done\r\n?contains Alice\r\n/size\r\n"],
  ["a byte order mark", "\ufeff# BOM\nMy name is Alice\n?contains Alice\n/size\n"],
  ["no line end at the end", "My name is Alice\n?contains Alice\n/size"],
  ["blanks around", "   My name is Alice  \n\t?contains   Alice \n  /size  "],
])("it may have %s", async (_, script) => {
  const { code, stdout } = await run(script);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /default> My name is Alice\n {2}Nice to meet you, Alice![\s\S]*default> \/size\n {2}default: 2 messages/,
  );
});

test("an empty script passes", async () => {
  expect(await run("")).toEqual({
    code: 0,
    stdout: "",
    stderr: "x.chat: 0 inputs, 0 expectations, 0 failed.\n",
  });
});

test("a line of a million characters is one message", async () => {
  const { code } = await run(`${"x".repeat(1_000_000)}\n?size 2\n`);
  expect(code).toBe(0);
});

test("a file that is not UTF-8 is refused, and nothing in it is sent", async () => {
  const { code, stdout, stderr } = await run(Buffer.from("\ufeffHi\n", "utf16le"));
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(
    /^agno-chat: x\.chat: The script is UTF-16, not UTF-8\. Save it as UTF-8[^\n]*\n/,
  );
});

test.each([
  ["a folder", ".", "illegal operation on a directory (EISDIR)"],
  ["missing", "nothing.chat", "no such file or directory (ENOENT)"],
])("a script that is %s is reported in one line", async (_, name, reason) => {
  const file = path.join(temporaryFolder(), name);
  expect(await new Cli().run(["run", file])).toEqual({
    code: 2,
    stdout: "",
    stderr: `agno-chat: Cannot read the script ${JSON.stringify(file)}: ${reason}.\n`,
  });
});

test("a script changes no stored data unless a store or a home folder is named", async () => {
  const cli = new Cli();
  const file = path.join(cli.home, "x.chat");
  mkdirSync(cli.home, { recursive: true });
  writeFileSync(file, "/user alice\nMy name is Alice\n");
  const messages = async () => (await cli.json(["size", "--user", "alice"])).messages;

  const nowhere = { AGNO_CHAT_HOME: "", AGNO_CHAT_STORE: `sqlite:${cli.home}/chat.db` };
  expect((await cli.run(["run", file], { env: nowhere })).code).toBe(0);
  expect(readdirSync(cli.home)).toEqual(["x.chat"]);
  expect(await messages()).toBe(0);

  expect((await cli.run(["run", file])).code).toBe(0);
  expect(await messages()).toBe(2);

  const store = ["--store", `sqlite:${cli.home}/chat.db`];
  expect((await cli.run(["run", file, ...store], { env: nowhere })).code).toBe(0);
  expect(await messages()).toBe(4);
});

test.each(["(a+)+$", "/^(a|a)*$/"])(
  "?matches %s that explodes is stopped and told",
  async (pattern) => {
    const said = `${"a".repeat(60)}!`;
    const { code, stderr } = await run(`/system ${said}\n/system\n?matches ${pattern}\n`);
    expect(code).toBe(2);
    expect(stderr).toContain(
      `x.chat:3: ?matches "${pattern}": it took longer than 1000 ms and was stopped.`,
    );
  },
);

test.each([
  ["an empty variable", `/user \${NOBODY}`, "USAGE", "/user needs a user id here"],
  ["an invalid id", "/user bob\u200b", "INVALID_USER_ID", "Invalid user id"],
  ["a byte order mark after the id", "/user bob\ufeff", "INVALID_USER_ID", "Invalid user id"],
  ["an invalid session", "/session a\u200bb", "INVALID_SESSION_ID", "Invalid session id"],
])(
  "a switch that fails for %s says nothing as the user before, even with --keep-going",
  async (_, line, code, message) => {
    const store = `sqlite:${path.join(temporaryFolder(), "chat.db")}`;
    const script = `/user alice\n${line}\nMy secret\n`;
    const env = { NOBODY: "" };
    const {
      code: exit,
      stdout,
      stderr,
    } = await run(script, {
      flags: ["--keep-going", "--store", store],
      env,
    });
    expect(exit).not.toBe(0);
    expect(stderr).toContain(message);
    expect(stdout).not.toContain("My secret");
    // A failure that the script expects is no reason to stop.
    const expected = await run(`/user alice\n${line}\n?fails ${code}\nHello\n`, { env });
    expect(expected).toMatchObject({ code: 0 });
  },
);
