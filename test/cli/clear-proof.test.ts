import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { InputFiles, inputFilesIn } from "../../src/cli/terminal/input-files.js";
import { FileProof } from "../../src/data/erasure/file-proof.js";
import { validateUserId } from "../../src/ids.js";
import { PostgresMemory } from "../../src/memory/postgres.js";
import { userMessage } from "../../src/messages.js";
import { Cli } from "../support/cli.js";
import { newDatabase } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";

const server = await postgresUrl();

const ALICE = validateUserId("alice");
const TEXT = 'My "secret" plan is to open a small bakery in 京都 next spring';

/** A home where alice and bob have said something at a prompt. */
async function chatted(): Promise<Cli> {
  const cli = new Cli();
  for (const [user, text] of [
    ["alice", TEXT],
    ["alice", "And what do you think of that plan?"],
    ["bob", "Bob would rather open a bookshop by the sea"],
  ] as const) {
    await cli.run(["ask", "-u", user, "-m", "demo", text]);
    inputFilesIn(cli.home).append(validateUserId(user), text);
  }
  return cli;
}

const CLEAR = ["clear", "-u", "alice", "--prove", "--yes"];

describe("clear --prove", () => {
  it("deletes, says what is gone from where, and what was searched", async () => {
    const cli = await chatted();
    const { code, stdout, stderr } = await cli.run(CLEAR);
    expect([code, stderr]).toEqual([0, ""]);
    const lines = stdout.replaceAll(/ {2,}/g, "  ").split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        "Deleted 4 messages of alice.",
        "messages  4, and 1 session",
        "session state  0 values, and 0 kept for undo",
        "attachments  0",
        "search index  0 blocks",
        "typed input  2 lines",
        "imports  known by their messages alone",
        expect.stringMatching(/^Looked for \d+ pieces of 16 bytes from 7 texts\./),
        expect.stringMatching(
          /^ok {2}memory file {2}nothing but 1 piece that the store keeps in \d+ kB {2}.*chat\.db$/,
        ),
        expect.stringMatching(/^ok {2}write-ahead log {2}is not there {2}.*chat\.db-wal$/),
        expect.stringMatching(/^ok {2}typed input {2}is not there {2}.*\.jsonl$/),
        expect.stringMatching(/^Nothing of the texts of alice was found in \d+ bytes of 1 file\.$/),
        expect.stringMatching(/^Not searched: files that you have exported/),
      ]),
    );
    expect((await cli.json(["size", "-u", "bob"])).messages).toBe(2);
  });

  it("gives programs one document", async () => {
    const cli = await chatted();
    expect(await cli.json(CLEAR)).toEqual({
      ok: true,
      user: "alice",
      session: null,
      deleted: {
        ...{ messages: 4, sessions: 1, stateValues: 0, stateChanges: 0 },
        ...{ attachments: 0, searchBlocks: 0, typedInput: 2 },
      },
      isTypedInputKept: false,
      strays: 0,
      lookedFor: {
        ...{ texts: 7, tooShort: expect.any(Number), samples: expect.any(Number) },
        ...{ sampleBytes: 16, oneIn: 1 },
      },
      places: expect.arrayContaining([
        {
          ...{ what: "memory file", path: join(cli.home, "chat.db") },
          ...{ bytes: expect.any(Number), leftovers: 0, offsets: [], undecided: 1 },
        },
      ]),
      undecided: expect.any(Number),
      isCleanedUp: true,
      isInUse: false,
      tables: [],
    });
  });

  it("ends with 5 and names the file and the place when something is left, and no text", async () => {
    const cli = await chatted();
    const audit = join(cli.home, "audit.jsonl");
    writeFileSync(audit, `{"text":${JSON.stringify(TEXT)}}\n`);
    const { code, stdout } = await cli.run([...CLEAR, "--also", audit]);
    expect(code).toBe(5);
    expect(stdout).toMatch(/^LEFT +named file +\d+ pieces of texts at bytes 9, .*audit\.jsonl$/m);
    expect(stdout).toContain("NOT PROVEN for alice: texts are left in 1 file.");
    expect(stdout).not.toContain("bakery");
    const again = await cli.json(["clear", "-u", "bob", "--prove", "-y", "--also", audit]);
    expect(again.ok).toBe(true);
  });

  it.each(["copy of the file", "file of another name"])(
    "finds what is left of typed input in a %s",
    async (kind) => {
      const cli = await chatted();
      const [own = ""] = inputFilesIn(cli.home).filesOf(ALICE);
      const stray = kind.startsWith("copy") ? `${own}~` : join(cli.home, "input", "saved");
      writeFileSync(stray, `${JSON.stringify(TEXT)}\n`);
      const { code, stdout } = await cli.run(CLEAR);
      expect(code).toBe(5);
      expect(stdout).toMatch(/^LEFT +typed input /m);
    },
  );

  it("finds typed input that was not removed", async () => {
    const cli = await chatted();
    const { remove } = InputFiles.prototype;
    onTestFinished(() => {
      InputFiles.prototype.remove = remove;
    });
    InputFiles.prototype.remove = () => {};
    const { code, stdout } = await cli.run(CLEAR);
    expect(code).toBe(5);
    expect(stdout).toMatch(/^LEFT +typed input .*pieces? of texts/m);
  });

  it("says in which file there are pieces that the store keeps for somebody else", async () => {
    const cli = await chatted();
    await cli.run(["ask", "-u", "bob", "-m", "demo", TEXT]);
    const file = join(cli.home, "audit.jsonl");
    writeFileSync(file, JSON.stringify(TEXT));
    const { code, stdout } = await cli.run([...CLEAR, "--also", file]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok +named file +nothing but \d+ pieces that the store keeps in /m);
  });

  it("does not take for left what another user has typed", async () => {
    const cli = await chatted();
    inputFilesIn(cli.home).append(validateUserId("bob"), TEXT);
    expect((await cli.run(CLEAR)).code).toBe(0);
  });

  it("keeps the typed input of a user who keeps other sessions", async () => {
    const cli = await chatted();
    const { code, stdout } = await cli.run([...CLEAR, "-s", "default"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^typed input +kept$/m);
    expect(stdout).toMatch(/^Nothing of the texts of alice in default was found in /m);
    expect(stdout).toContain("What the user has typed at the prompt is kept");
    expect(inputFilesIn(cli.home).read(ALICE)).toHaveLength(2);
  });

  it("goes with --older-than", async () => {
    const cli = await chatted();
    const { stdout, code } = await cli.run([...CLEAR, "--older-than", "30d"]);
    expect([code, stdout.split("\n")[0]]).toEqual([
      0,
      "Deleted 0 messages of alice older than 30d.",
    ]);
    const now = await cli.run([...CLEAR, "--older-than", "0s"]);
    expect([now.code, now.stdout.split("\n")[0]]).toEqual([
      0,
      "Deleted 4 messages of alice older than 0s.",
    ]);
  });

  it("says so when there is nothing to look for", async () => {
    const cli = await chatted();
    await cli.run(CLEAR);
    const { code, stdout } = await cli.run(CLEAR);
    expect(code).toBe(0);
    expect(stdout).toContain("Looked for 0 pieces of 16 bytes from 0 texts.");
    expect(stdout).toContain("There was no text of alice to look for, and no row is left.");
  });

  it("says of which session there was nothing, and nothing of typed input that is not there", async () => {
    const cli = new Cli();
    await cli.run(["ask", "-u", "alice", "-m", "demo", TEXT]);
    const { stdout } = await cli.run([...CLEAR, "-s", "elsewhere"]);
    expect(stdout).toContain("There was no text of alice in elsewhere to look for");
    expect(stdout).not.toContain("typed at the prompt");
  });

  it("finds the content of a file in an export, where it is in base64", async () => {
    const cli = new Cli();
    const [note, out, file] = ["note.txt", "alice.jsonl", "content"].map((name) =>
      join(cli.home, name),
    ) as [string, string, string];
    writeFileSync(note, `${TEXT}, and not even Bob may know of it`);
    await cli.run(["ask", "-u", "alice", "-m", "demo", "-a", note, "Look at this"]);
    await cli.run(["export", "-u", "alice", "-o", out]);
    const [, base64 = ""] = /"content":"([\w+/]{60,}=*)"/.exec(readFileSync(out, "utf8")) ?? [];
    writeFileSync(file, base64);
    const { code, stdout } = await cli.run([...CLEAR, "--also", file]);
    expect([code, stdout]).toEqual([5, expect.stringMatching(/^LEFT +named file /m)]);
  });

  it("says that the data is deleted if the search is stopped", async () => {
    const cli = await chatted();
    const { after } = FileProof.prototype;
    onTestFinished(() => {
      FileProof.prototype.after = after;
    });
    const running = cli.begin(CLEAR);
    FileProof.prototype.after = function (options) {
      running.emit("SIGINT");
      return after.call(this, options);
    };
    const { code, stdout, stderr } = await running.result;
    expect([code, stdout]).toEqual([130, ""]);
    expect(stderr).toContain("Deleted 4 messages of alice, but what may be left was not searched");
    expect((await cli.json(["size", "-u", "alice"])).messages).toBe(0);
  });

  it("finds nothing after a process was killed in the middle of its writes", async () => {
    const cli = await chatted();
    const other = cli.start(["-u", "alice", "-m", "demo"]);
    other.child.stdin.write(`${TEXT}, and I mean it\n`);
    await other.shows("You said");
    other.child.kill("SIGKILL");
    await other.result;
    const { code, stdout } = await cli.run(CLEAR);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Nothing of the texts of alice/m)]);
  });

  it("says that another process has the store open", async () => {
    const cli = await chatted();
    const other = cli.start(["-u", "bob", "-m", "demo"]);
    other.child.stdin.write("Hello there, this keeps the store open\n");
    await other.shows("Hello");
    const receipt = await cli.json(CLEAR);
    expect(receipt).toMatchObject({ ok: true, isInUse: true });
    other.child.stdin.end();
    await other.result;
  });

  it.each([
    [["--dry-run"], "--prove does not go with --dry-run."],
    [["--all-users"], "--prove does not go with --all-users."],
    [["--also", "missing-file"], 'Cannot read the file "missing-file"'],
    [["--also", "/dev/null"], "it is not a regular file"],
    [["--store", "memory:"], "memory: keeps nothing after this process."],
  ])("is refused before anything is deleted with %s", async (args, message) => {
    const cli = await chatted();
    const given = args.includes("--all-users") ? ["clear", "--prove", "-y"] : CLEAR;
    const { code, stderr } = await cli.run([...given, ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect((await cli.json(["size", "-u", "alice"])).messages).toBe(4);
  });

  it("--also alone is refused", async () => {
    const { code, stderr } = await new Cli().run(["clear", "-u", "alice", "--also", "file"]);
    expect(code).toBe(2);
    expect(stderr).toContain("--also goes with --prove alone.");
  });
});

it.skipIf(server === undefined)(
  "clear --prove on a database says what only a vacuum can do",
  async () => {
    const url = await newDatabase(server as string);
    const memory = new PostgresMemory(url);
    await memory.add(userMessage(TEXT), "alice");
    await memory.close();
    const cli = new Cli({ AGNO_CHAT_STORE: url });
    const { code, stdout } = await cli.run(CLEAR);
    expect(code).toBe(0);
    expect(stdout).toContain("Deleted 1 message of alice.");
    expect(stdout).toMatch(
      /^Nothing of the texts of alice was found in rows of the database or in /m,
    );
    expect(stdout).toContain("VACUUM FULL agno_chat.users, agno_chat.sessions, agno_chat.messages");
    expect(stdout).toContain("write-ahead log of the server, its replicas, archives and backups");
    const file = join(cli.home, "log");
    writeFileSync(file, TEXT);
    await cli.run(["ask", "-u", "alice", "-m", "demo", TEXT]);
    const again = await cli.run([...CLEAR, "--also", file]);
    expect(again.code).toBe(5);
    expect(again.stdout).toMatch(/^LEFT +named file/m);
  },
);
