import { randomUUID } from "node:crypto";
import { mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { attachedFiles } from "../../../src/attachments.js";
import { FileProof } from "../../../src/data/erasure/file-proof.js";
import type { Place } from "../../../src/data/erasure/places.js";
import type { Receipt } from "../../../src/data/erasure/receipt.js";
import { type SessionId, validateSessionId, validateUserId } from "../../../src/ids.js";
import { SqliteMemory } from "../../../src/memory/sqlite.js";
import { loadEngine, SqliteConnection } from "../../../src/memory/stores/sqlite/driver.js";
import {
  assistantMessage,
  attachedMessage,
  toolMessage,
  userMessage,
} from "../../../src/messages.js";
import { temporaryFile } from "../../support/memory-file.js";
import { pngWith } from "../../support/pictures.js";

const SECRET =
  'Alice hid the "blue" key\nunder the third stone: 京都の北の石の下に🗝️ \u0007 \ud83d.';
const PICTURE = pngWith("a picture that only Alice has ever seen ".repeat(300));
const FILE = "A text that came as a file, with a line\nabout the blue key of Alice.";
const VALUE = { plan: "meet at the old bridge after midnight", seen: [1, 2, 3] };
const OLD_VALUE = { plan: "meet at the new bridge before noon", seen: [] };
const TYPED = "/search where did I put the blue key again";

/** A file with everything that alice can have in it, and bob beside her; closed. */
async function furnished(path = temporaryFile()): Promise<string> {
  const memory = new SqliteMemory(path);
  const { attachments, contents } = attachedFiles([
    { name: "the holiday picture of Alice.png", content: PICTURE },
    { name: "notes.txt", content: FILE },
  ]);
  for (const sessionId of ["default", "the planning of a surprise party"]) {
    const call = {
      id: "call-1",
      name: "notes",
      arguments: '{"note":"the gate code is 4711-0815"}',
    };
    await memory.add(
      [
        { ...attachedMessage(SECRET, attachments), runId: randomUUID() },
        assistantMessage("", [call]),
        toolMessage("call-1", "written down: the gate code is 4711-0815"),
        assistantMessage(`I will keep in mind that ${SECRET}`),
      ],
      "alice",
      { sessionId, contents, state: { plan: OLD_VALUE } },
    );
    await memory.add([userMessage("And now?"), assistantMessage("Nothing new.")], "alice", {
      sessionId,
      state: { plan: VALUE },
    });
    // Enough for a block of the search index.
    await memory.add(userMessage(`${sessionId}: ${"lorem ipsum dolor ".repeat(60_000)}`), "alice", {
      sessionId,
    });
  }
  await memory.search("lorem", "alice");
  await memory.add(
    [userMessage("I am Bob, and I know nothing of it"), assistantMessage("Hi")],
    "bob",
  );
  await memory.close();
  return path;
}

interface Look {
  readonly sessionId?: SessionId;
  readonly places?: readonly Place[];
  /** Called between the delete and the search. */
  readonly plant?: () => unknown;
}

/** Deletes what alice has, and looks for it. */
async function proven(
  path: string,
  { sessionId, places = [], plant }: Look = {},
): Promise<Receipt> {
  const userId = validateUserId("alice");
  const scope = { userId, sessionId, before: Infinity, typed: [TYPED] };
  const proof = await FileProof.before(path, scope);
  const memory = new SqliteMemory(path);
  await memory.clear("alice", { sessionId });
  await memory.close();
  await plant?.();
  const { signal } = new AbortController();
  return proof.after({ places, folders: [], signal, onProgress: () => {} });
}

const leftIn = ({ places }: Receipt): string[] =>
  places.filter(({ leftovers }) => leftovers > 0).map(({ what }) => what);

/** Changes the file as another program would. */
async function execute(path: string, sql: string, ...values: (string | Uint8Array)[]) {
  const connection = new SqliteConnection(await loadEngine(), path);
  connection.exec("PRAGMA secure_delete = OFF");
  for (const each of sql.split(";")) connection.run(each, ...(each.includes("?") ? values : []));
  connection.emptyLog();
  await connection.close();
}

async function postingsIn(path: string): Promise<Uint8Array> {
  const connection = new SqliteConnection(await loadEngine(), path);
  const row = connection.get<{ postings: Uint8Array }>(
    "SELECT postings FROM search_parts ORDER BY length(postings) DESC LIMIT 1",
  );
  await connection.close();
  return new Uint8Array(row?.postings as Uint8Array);
}

describe("after a clear", () => {
  it("nothing of any kind of data is found, and all of it is counted", async () => {
    const receipt = await proven(await furnished());
    expect(leftIn(receipt)).toEqual([]);
    expect(receipt).toMatchObject({
      isProven: true,
      deleted: { stateValues: 2, stateChanges: 4, attachments: 2 },
      strays: 0,
      undecided: 0,
      isCleanedUp: true,
      isInUse: false,
    });
    expect(receipt.deleted.searchBlocks).toBeGreaterThan(0);
    expect(receipt.lookedFor).toMatchObject({ sampleBytes: 16, oneIn: 1 });
    expect(receipt.lookedFor.samples).toBeGreaterThan(50);
    expect(receipt.places.map(({ what, bytes }) => [what, bytes !== null])).toEqual([
      ["memory file", true],
      ["write-ahead log", false],
    ]);
  });

  it("of one session, nothing of that session is found, and the other one is kept", async () => {
    const path = await furnished();
    const sessionId = validateSessionId("the planning of a surprise party");
    const receipt = await proven(path, { sessionId });
    expect(leftIn(receipt)).toEqual([]);
    expect(receipt).toMatchObject({ isProven: true, deleted: { stateValues: 1, stateChanges: 2 } });
    // The other session has most of the same texts.
    expect(receipt.undecided).toBeGreaterThan(0);
    const memory = new SqliteMemory(path);
    expect(await memory.size("alice")).toBe(7);
    await memory.close();
  });

  it("what another user has said in the same words is not left of the first", async () => {
    const path = await furnished();
    const memory = new SqliteMemory(path);
    await memory.add([userMessage(SECRET), assistantMessage("Yes.")], "bob");
    await memory.close();
    const receipt = await proven(path);
    expect(leftIn(receipt)).toEqual([]);
    expect(receipt.isProven).toBe(true);
    expect(receipt.undecided).toBeGreaterThan(0);
  });

  it("the receipt quotes nobody", async () => {
    const path = await furnished();
    const plant = () => execute(path, "CREATE TABLE a (b); INSERT INTO a VALUES (?)", SECRET);
    const text = JSON.stringify(await proven(path, { plant }));
    for (const secret of ["blue", "stone", "bridge", "Bob", "bob", "4711"])
      expect(text).not.toContain(secret);
  });
});

describe("what is left is found", () => {
  it("in a free page of the file", async () => {
    const path = await furnished();
    const sql = "CREATE TABLE a (b); INSERT INTO a VALUES (?); DROP TABLE a";
    const receipt = await proven(path, { plant: () => execute(path, sql, SECRET) });
    expect(leftIn(receipt)).toEqual(["memory file"]);
    expect(receipt.isProven).toBe(false);
  });

  it("in a free page, even if another user has said other texts of the same user", async () => {
    const path = await furnished();
    const memory = new SqliteMemory(path);
    await memory.add([userMessage(FILE), assistantMessage("Yes.")], "bob");
    await memory.close();
    const sql = "CREATE TABLE a (b); INSERT INTO a VALUES (?); DROP TABLE a";
    const plant = () => execute(path, sql, `${FILE} ${SECRET}`);
    expect(leftIn(await proven(path, { plant }))).toEqual(["memory file"]);
  });

  it.each([
    [
      "message",
      "INSERT INTO messages VALUES (1, 99, 1, 0, '', 0, json_object('content', ?))",
      SECRET,
    ],
    ["state", "INSERT INTO session_states VALUES (1, 1, '\"plan\"', ?)", JSON.stringify(VALUE)],
    [
      "change of the state",
      "INSERT INTO state_changes VALUES (1, 1, 1, '\"plan\"', ?)",
      JSON.stringify(OLD_VALUE),
    ],
    ["attachment", "INSERT INTO attachments VALUES (9, 1, '', ?)", PICTURE],
    [
      "session",
      "INSERT INTO sessions VALUES (1, 9, ?, 0, 0, 0, 0, 0, NULL, 0, 0)",
      "the planning of a surprise party",
    ],
  ])("in a row of nobody: %s", async (_, sql, value) => {
    const path = await furnished();
    const receipt = await proven(path, { plant: () => execute(path, sql, value) });
    expect(leftIn(receipt)).toEqual(["memory file"]);
    expect(receipt).toMatchObject({ isProven: false, strays: 1, undecided: 0 });
  });

  it("in a row of the search index", async () => {
    const path = await furnished();
    const postings = await postingsIn(path);
    const plant = () =>
      execute(path, "INSERT INTO search_parts VALUES (999, 1, 1, zeroblob(500), ?)", postings);
    const receipt = await proven(path, { plant });
    expect(leftIn(receipt)).toEqual(["memory file"]);
    expect(receipt.strays).toBe(1);
  });

  it("as a row, even if its text is too short to be looked for", async () => {
    const path = await furnished();
    const sql = "INSERT INTO session_states VALUES (1, 1, '\"a\"', ?)";
    const receipt = await proven(path, { plant: () => execute(path, sql, "1") });
    expect(leftIn(receipt)).toEqual([]);
    expect(receipt).toMatchObject({ isProven: false, strays: 1 });
  });

  it("in the write-ahead log that another connection needs, with what keeps it", async () => {
    const path = await furnished();
    const reader = new SqliteConnection(await loadEngine(), path);
    reader.exec("BEGIN; SELECT count(*) FROM messages");
    const receipt = await proven(path);
    expect(leftIn(receipt)).toContain("memory file");
    expect(receipt).toMatchObject({ isProven: false, isCleanedUp: false, isInUse: true });
    reader.exec("COMMIT");
    await reader.close();
  });

  it("in the write-ahead log", async () => {
    const path = await furnished();
    const writer = new SqliteConnection(await loadEngine(), path);
    const plant = () => {
      writer.exec("CREATE TABLE a (b)");
      writer.run("INSERT INTO a VALUES (?)", SECRET);
      writer.exec("DROP TABLE a");
    };
    expect(leftIn(await proven(path, { plant }))).toContain("write-ahead log");
    await writer.close();
  });

  it("in a rollback journal", async () => {
    const path = await furnished();
    // As a journal that is finished and kept.
    const plant = () => writeFileSync(`${path}-journal`, `${"\0".repeat(512)}${SECRET}`);
    expect(leftIn(await proven(path, { plant }))).toEqual(["rollback journal"]);
  });

  it("beside the file itself, if the store is a symbolic link to it", async () => {
    const path = await furnished();
    const link = temporaryFile();
    symlinkSync(path, link);
    const plant = () => {
      for (const file of [`${path}-journal`, join(dirname(path), `.a.${randomUUID()}.tmp`)])
        writeFileSync(file, `${"\0".repeat(512)}${SECRET}`);
    };
    const receipt = await proven(link, { plant });
    expect(leftIn(receipt)).toEqual(["rollback journal", "temporary file"]);
    expect(receipt.places[0]).toMatchObject({ what: "memory file", path: realpathSync(path) });
  });

  it("in temporary files of backups, of SQLite and of an external editor", async () => {
    const path = await furnished();
    const temporary = join(dirname(path), "tmp");
    mkdirSync(join(temporary, "agno-chat-aB3dE6"), { recursive: true });
    vi.stubEnv("TMPDIR", temporary);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    expect(tmpdir()).toBe(temporary);
    const files = [
      join(dirname(path), `.backup.db.${randomUUID()}.tmp`),
      join(dirname(path), `.backup.db.${randomUUID()}.tmp-journal`),
      join(temporary, "etilqs_1234"),
      join(temporary, "agno-chat-aB3dE6", ".message.md.swp"),
    ];
    for (const file of files) {
      const plant = () => writeFileSync(file, `before ${SECRET} after`);
      const receipt = await proven(await furnished(path), { plant });
      expect(leftIn(receipt)).toEqual(["temporary file"]);
      expect(receipt.places.find(({ leftovers }) => leftovers > 0)).toMatchObject({
        path: file,
        offsets: expect.arrayContaining([expect.any(Number)]),
      });
      rmSync(file);
    }
  });

  it("in any file that is named, with the place of the first pieces", async () => {
    const path = await furnished();
    const named = join(dirname(path), "audit.jsonl");
    const places = [{ what: "named file", path: named }];
    const line = `${"x".repeat(2_000_000)}${JSON.stringify({ text: TYPED })}`;
    const plant = () => writeFileSync(named, line);
    const receipt = await proven(path, { plant, places });
    expect(receipt.places.at(-1)).toMatchObject({
      what: "named file",
      bytes: line.length,
      offsets: expect.arrayContaining([line.indexOf(TYPED)]),
    });
  });
});

it("a file that cannot be read proves nothing", async () => {
  const path = await furnished();
  const receipt = await proven(path, { places: [{ what: "named file", path: dirname(path) }] });
  expect(receipt.isProven).toBe(false);
  expect(receipt.places.at(-1)).toMatchObject({ bytes: null, problem: expect.any(String) });
});

it("a search that is stopped throws", async () => {
  const path = await furnished();
  const scope = {
    userId: validateUserId("alice"),
    sessionId: undefined,
    before: Infinity,
    typed: [],
  };
  const proof = await FileProof.before(path, scope);
  const signal = AbortSignal.abort(new Error("stopped"));
  await expect(
    proof.after({ places: [], folders: [], signal, onProgress: () => {} }),
  ).rejects.toThrow("stopped");
});
