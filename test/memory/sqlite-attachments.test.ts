import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { hashOf } from "../../src/attachments.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { loadEngine, SqliteConnection } from "../../src/memory/stores/sqlite/driver.js";
import { type NewMessage, userMessage } from "../../src/messages.js";
import { temporaryFile } from "../support/memory-file.js";
import { pngWith } from "../support/pictures.js";

/** Everything on disk: the file and its write-ahead log, free pages included. */
const isOnDisk = (path: string, text: string): boolean =>
  readdirSync(dirname(path)).some((name) => readFileSync(join(dirname(path), name)).includes(text));

/** A picture that holds the marker at its start and again and again. */
const pictureOf = (marker: string, size: number): Uint8Array =>
  pngWith(`${marker} `.repeat(Math.ceil(size / (marker.length + 1))));

interface Sending {
  readonly runId: string;
  readonly sessionId?: string;
  readonly replaceRun?: string;
}

/** Stores a message of the user with this picture. */
const send = async (
  memory: SqliteMemory,
  user: string,
  content: Uint8Array,
  { runId, ...options }: Sending,
) => {
  const hash = hashOf(content);
  const message: NewMessage = {
    ...userMessage("Look"),
    runId,
    attachments: [{ name: "a", type: "image/png", bytes: content.length, hash }],
  };
  await memory.add(message, user, { ...options, contents: new Map([[hash, content]]) });
  return hash;
};

async function blobsIn(path: string): Promise<number> {
  const connection = new SqliteConnection(await loadEngine(), path);
  const row = connection.get<{ rows: number }>("SELECT count(*) AS rows FROM attachments");
  await connection.close();
  return row?.rows ?? 0;
}

it("a picture is stored once per user, however many messages bring it", async () => {
  const path = temporaryFile();
  const memory = new SqliteMemory(path);
  const picture = pictureOf("marker", 5_000);
  for (const user of ["alice", "bob"])
    for (const runId of ["one", "two"]) await send(memory, user, picture, { runId });
  await memory.close();
  expect(await blobsIn(path)).toBe(2);
});

it("pictures are there again when the file is opened again", async () => {
  const path = temporaryFile();
  const memory = new SqliteMemory(path);
  const picture = pictureOf("marker", 100_000);
  const hash = await send(memory, "alice", picture, { runId: "one" });
  await memory.close();
  const again = new SqliteMemory(path);
  const contents = await again.attachments?.read("alice", [hash]);
  await again.close();
  expect(new Uint8Array(contents?.get(hash) ?? [])).toEqual(picture);
});

describe.each([
  ["small", 0],
  ["too large to rewrite at once", 6_000_000],
])("in a file that is %s, a picture leaves the disk, and so does its hash", (_, ballast) => {
  const SIZES = [10, 300, 3_000, 9_000, 200_000];

  async function opened() {
    const path = temporaryFile();
    const memory = new SqliteMemory(path);
    if (ballast > 0) await send(memory, "zoe", pictureOf("ballast", ballast), { runId: "zoe" });
    const sent: { readonly marker: string; readonly hash: string }[] = [];
    // Rows of all users stand side by side on the pages.
    for (const size of SIZES)
      for (const user of ["alice", "bob", "carol"])
        for (const sessionId of ["work", "home"]) {
          const marker = `of-${user}-${sessionId}-${size}-`;
          const run = { runId: "run", sessionId };
          sent.push({ marker, hash: await send(memory, user, pictureOf(marker, size), run) });
        }
    return { path, memory, sent };
  }

  it.each<[string, (memory: SqliteMemory) => unknown, string, string]>([
    ["its user", (memory) => memory.clear("bob"), "of-bob-", "of-alice-home-"],
    [
      "its session",
      (memory) => memory.clear("bob", { sessionId: "work" }),
      "of-bob-work-",
      "of-bob-home-",
    ],
    [
      "its run, which another replaces",
      (memory) =>
        memory.add({ ...userMessage("New"), runId: "new" }, "bob", {
          sessionId: "work",
          replaceRun: "run",
        }),
      "of-bob-work-",
      "of-bob-home-",
    ],
  ])("with %s", async (__, erase, gone, kept) => {
    const { path, memory, sent } = await opened();
    await erase(memory);
    await memory.close();
    const left = sent.filter(({ marker, hash }) => isOnDisk(path, marker) || isOnDisk(path, hash));
    const leftOf = (user: string) => left.filter(({ marker }) => marker.startsWith(user)).length;
    expect([leftOf(gone), leftOf(kept)]).toEqual([0, SIZES.length]);
  });

  it("with everybody", async () => {
    const { path, memory, sent } = await opened();
    await memory.clearAll();
    await memory.close();
    expect([...sent.map(({ hash }) => hash), "of-"].filter((text) => isOnDisk(path, text))).toEqual(
      [],
    );
    expect(await blobsIn(path)).toBe(0);
  });
});

it("a picture is stored as it was handed in, whatever the program does with its bytes then", async () => {
  const memory = new SqliteMemory(temporaryFile());
  const picture = pictureOf("marker", 5_000);
  const original = new Uint8Array(picture);
  const sent = send(memory, "alice", picture, { runId: "one" });
  picture.fill(0);
  const hash = await sent;
  const kept = await memory.attachments?.read("alice", [hash]);
  expect(kept?.get(hash)).toEqual(original);
  await memory.close();
});
