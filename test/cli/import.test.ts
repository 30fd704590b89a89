import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { chatGptConversation, claudeConversation } from "../support/archives.js";
import { Cli, temporaryFolder } from "../support/cli.js";
import { type ZippedFile, zipOf } from "../support/zip.js";

const said = [
  { role: "user", text: "My name is Alice" },
  { role: "assistant", text: "Nice to meet you." },
];

const CHATGPT = JSON.stringify([
  chatGptConversation("1", "Names", [{ role: "system", text: "" }, ...said]),
]);

function fileOf(name: string, content: string | Uint8Array): string {
  const file = path.join(temporaryFolder(), name);
  writeFileSync(file, content);
  return file;
}

const archiveOf = (...files: readonly ZippedFile[]): string => fileOf("export.zip", zipOf(files));

test("an export comes back for another user, and a second import adds nothing", async () => {
  const cli = new Cli({ AGNO_CHAT_MODEL: "demo" });
  await cli.run(["ask", "-u", "alice", "--tools", "notes", "Remember that I like tea"]);
  const file = path.join(temporaryFolder(), "alice.json");
  await cli.run(["export", "-u", "alice", "-o", file]);
  const first = await cli.run(["import", "-u", "bob", file]);
  expect(first).toEqual({
    code: 0,
    stdout: "Imported 1 conversation of bob: 4 messages.\n",
    stderr: 'The file is of the user "alice"; all of it goes to bob.\n',
  });
  const { stdout } = await cli.run(["-u", "bob"], { input: "/state\n" });
  expect(stdout).toContain('"notes": ["I like tea"]');
  const again = await cli.run(["import", "-u", "bob", file]);
  expect(again.stdout).toBe(
    "Imported 0 conversations of bob: 0 messages.\n1 conversation was here already.\n",
  );
});

test("an archive of ChatGPT is told by its content, and its conversations can be gone on with", async () => {
  const cli = new Cli({ AGNO_CHAT_MODEL: "demo" });
  const file = archiveOf(
    { name: "user.json", content: '{"email":"someone@example.com"}' },
    {
      name: "data/conversations-001.json",
      content: CHATGPT.replace('"1"', '"2"').replace("Names", "B"),
    },
    { name: "data/conversations-000.json", content: CHATGPT },
    { name: "file-abc.png", content: "PNG" },
  );
  const done = await cli.json(["import", "-u", "alice", file]);
  expect(done).toMatchObject({
    ...{ ok: true, dryRun: false, user: "alice", format: "chatgpt", messages: 4 },
    conversations: { imported: 2, extended: 0, present: 0 },
    leftOut: { "system message": 2 },
  });
  const { sessions } = (await cli.json(["users"])).users[0];
  expect(sessions).toBe(2);
  const [message] = (await cli.json(["export", "-u", "alice"])).messages;
  const { stdout } = await cli.run([
    ...["ask", "-u", "alice", "-s", message.sessionId, "What's my name?"],
  ]);
  expect(stdout).toContain("Your name is Alice.");
});

test("what is left out is said on stderr, and a dry run stores nothing", async () => {
  const cli = new Cli();
  const claude = claudeConversation("c", "Tea", [
    { sender: "human", text: "Tea?", more: { files: [{ file_name: "cup.png" }] } },
  ]);
  const file = fileOf("conversations.json", JSON.stringify([claude]));
  const { stdout, stderr } = await cli.run(["import", "-u", "alice", "--dry-run", file]);
  expect(stdout).toBe("Would import 1 conversation of alice: 1 message.\n");
  expect(stderr).toBe("Left out: 1 × attached file, named in the text\n");
  expect((await cli.json(["users"])).users).toEqual([]);
});

test("stdin is read, and may name its format and session", async () => {
  const cli = new Cli();
  const input = '[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]';
  const args = ["import", "-u", "alice", "--from", "openai", "-s", "old", "-"];
  expect(await cli.run(args, { input })).toMatchObject({ code: 0, stderr: "" });
  expect((await cli.json(["size", "-u", "alice", "-s", "old"])).messages).toBe(2);
});

test.each<[string, readonly ZippedFile[] | Uint8Array, string]>([
  ["without conversations", [{ name: "a.json", content: "[]" }], "has no conversations.json"],
  ["that is encrypted", [{ name: "conversations.json", content: CHATGPT, flags: 1 }], "encrypted"],
  [
    "with a path that climbs",
    [{ name: "../conversations.json", content: CHATGPT }],
    "relative path",
  ],
  [
    "that expands beyond measure",
    [{ name: "conversations.json", content: Buffer.alloc(20_000_000, 32) }],
    "expands",
  ],
  [
    "that is cut off",
    zipOf([{ name: "conversations.json", content: CHATGPT }]).subarray(0, -30),
    "cannot be read",
  ],
  [
    "that is damaged",
    zipOf([{ name: "conversations.json", content: CHATGPT }]).fill(7, 60, 90),
    "cannot be read",
  ],
])("an archive %s is refused in one line", async (_, content, message) => {
  const file = content instanceof Uint8Array ? fileOf("a.zip", content) : archiveOf(...content);
  const cli = new Cli();
  const { code, stdout, stderr } = await cli.run(["import", "-u", "alice", file]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(message);
  expect(stderr.trimEnd()).not.toContain("\n");
  expect((await cli.json(["users"])).users).toEqual([]);
});

test.each<[string, () => string[], string]>([
  ["a file that is not there", () => ["nowhere.json"], "Cannot read"],
  ["a folder", () => ["."], "Cannot read"],
  ["UTF-16", () => [fileOf("a.json", Buffer.from("\ufeff[]", "utf16le"))], "is UTF-16"],
  ["an unknown format", () => ["--from", "gemini", "a.json"], "There is no format"],
  ["a session for many conversations", () => ["-s", "one", "a.json"], "--session goes with"],
  ["a text", () => [fileOf("a.txt", "Hello")], "is not JSON near character 1"],
  [
    "another format than it is",
    () => ["--from", "claude", fileOf("a.json", CHATGPT)],
    "no conversation",
  ],
])("%s is refused in one line", async (_, args, message) => {
  const { code, stdout, stderr } = await new Cli().run(["import", "-u", "alice", ...args()]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(message);
  expect(stderr.trimEnd()).not.toContain("\n");
});

test("a message larger than memory is left out, and the others are imported", async () => {
  const file = path.join(temporaryFolder(), "large.json");
  const handle = openSync(file, "w");
  writeSync(
    handle,
    `[${JSON.stringify(chatGptConversation("1", "Small", said))},{"mapping":{"a":"`,
  );
  const part = "x".repeat(1_000_000);
  for (let index = 0; index < 300; index += 1) writeSync(handle, part);
  writeSync(handle, `"}},${JSON.stringify(chatGptConversation("2", "Last", said))}]`);
  closeSync(handle);
  const cli = new Cli();
  const { code, stdout, stderr } = await cli.spawn(["import", "-u", "alice", file], {
    env: { NODE_OPTIONS: "--max-old-space-size=128" },
  });
  expect(stderr).toBe("Left out: 1 × conversation too large\n");
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: "Imported 2 conversations of alice: 4 messages.\n",
  });
});
