import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import {
  assistantMessage,
  type Imported,
  InMemory,
  importHistory,
  type Memory,
  openMemory,
  UserExport,
  userMessage,
} from "../../../src/index.js";
import { chatGptConversation } from "../../support/archives.js";
import { temporaryFile } from "../../support/memory-file.js";
import { newDatabase } from "../../support/postgres.js";
import { postgresUrl } from "../../support/postgres-service.js";

const server = (await postgresUrl()) ?? "";

const CONVERSATIONS = 12;

const CHATGPT = JSON.stringify(
  Array.from({ length: CONVERSATIONS }, (_, index) =>
    chatGptConversation(`id-${index}`, "The same title", [
      { role: "user", text: `Question ${index}` },
      { role: "assistant", text: `Answer ${index}` },
    ]),
  ),
);

async function exported(memory: Memory): Promise<string> {
  let json = "";
  for await (const piece of new UserExport(memory, "alice", { format: "json" })) json += piece;
  return json;
}

/** Two sessions, one of which takes several commits. */
async function ownExport(): Promise<string> {
  const source = new InMemory();
  for (let index = 0; index < 400; index += 1)
    source.add([userMessage(`${index}`), assistantMessage("ok")], "alice");
  source.add(userMessage("hi"), "alice", { sessionId: "work", state: { topic: "tea" } });
  return exported(source);
}

/** What there is of each session, in order. */
async function heldBy(memory: Memory): Promise<Record<string, unknown>> {
  const held: Record<string, unknown> = {};
  for (const { sessionId } of await memory.sessions("alice")) {
    const messages = await memory.getMessages("alice", { sessionId });
    const state = await memory.getState("alice", { sessionId });
    held[sessionId] = [messages.map(({ runId, content }) => [runId, content]), { ...state }];
  }
  return held;
}

const STORES: [string, () => Promise<string>][] = [
  ["SQLite", async () => `sqlite:${temporaryFile()}`],
  ...(server === ""
    ? []
    : [["PostgreSQL", () => newDatabase(server)] as [string, () => Promise<string>]]),
];

async function opened(store: string): Promise<Memory> {
  const memory = await openMemory(store);
  onTestFinished(async () => memory.close());
  return memory;
}

describe.each([
  ["ChatGPT's", async () => CHATGPT, CONVERSATIONS],
  ["our own", ownExport, 2],
] as const)("imports of %s export at the same time", (_, fileOf, conversations) => {
  it.each([["memory", async () => ""] as const, ...STORES])(
    "leave in %s what one of them would have",
    async (_, storeOf) => {
      const store = await storeOf();
      const shared = new InMemory();
      const open = async () => (store === "" ? shared : opened(store));
      const file = await fileOf();
      const alone = new InMemory();
      await importHistory(alone, "alice", [file]);
      const memories = [await open(), await open(), await open()];
      const done = await Promise.all(
        memories.map((memory) => importHistory(memory, "alice", [file])),
      );
      expect(await heldBy(await open())).toEqual(await heldBy(alone));
      expect(countedIn(done)).toEqual([conversations, await alone.size("alice")]);
      for (const { leftOut } of done) expect(leftOut).toEqual({});
    },
  );
});

/** How many conversations and messages all of them have imported together. */
const countedIn = (done: readonly Imported[]): number[] => [
  done.reduce((sum, { imported }) => sum + imported, 0),
  done.reduce((sum, { messages }) => sum + messages, 0),
];

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Inside the repository, so that the bundle finds its external packages. */
const BUNDLE = here("../../../node_modules/.cache/agno-chat/importer.mjs");

describe("processes that import one file at the same time", () => {
  beforeAll(async () => {
    await build({
      entryPoints: [here("./programs/importer.ts")],
      outfile: BUNDLE,
      bundle: true,
      platform: "node",
      format: "esm",
      packages: "external",
      logLevel: "error",
    });
  });

  it.each(STORES)("leave in %s what one of them would have", async (_, storeOf) => {
    const [store, file] = [await storeOf(), temporaryFile("export.json")];
    writeFileSync(file, CHATGPT);
    const children = Array.from({ length: 3 }, () =>
      spawn(process.execPath, [BUNDLE, store, "alice", file], {
        stdio: ["pipe", "pipe", "inherit"],
      }),
    );
    for (const { stdout } of children) await once(stdout, "data");
    for (const { stdin } of children) stdin.write("go\n");
    const done = await Promise.all(children.map(({ stdout }) => text(stdout)));
    const alone = new InMemory();
    await importHistory(alone, "alice", [CHATGPT]);
    expect(await heldBy(await opened(store))).toEqual(await heldBy(alone));
    expect(countedIn(done.map((each) => JSON.parse(each)))).toEqual([
      CONVERSATIONS,
      2 * CONVERSATIONS,
    ]);
  });
});
