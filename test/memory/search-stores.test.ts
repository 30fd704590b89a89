import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Memory, SearchOptions } from "../../src/memory/memory.js";
import { PostgresMemory } from "../../src/memory/postgres.js";
import { SqliteMemory } from "../../src/memory/sqlite.js";
import { initPostgres } from "../../src/memory/stores/postgres/admin.js";
import { type NewMessage, userMessage } from "../../src/messages.js";
import { temporaryFile } from "../support/memory-file.js";
import { newDatabase } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";

/** Long histories, which a store may index. */
const WORDS = [
  ..."abcdef",
  "京都",
  "東京",
  "Zebra",
  "crème",
  "😀",
  "각",
  "\0",
  "\ud800",
  "%",
  '"',
  "\n",
];

/** A message from a number: the same number, the same text. */
function textOf(seed: number): string {
  let state = seed + 1;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const words = Array.from({ length: 1 + next(6) }, () => WORDS[next(WORDS.length)]);
  return words.join(next(3) === 0 ? "" : " ") + (seed % 97 === 0 ? ` rare${seed}` : "");
}

const SOME_QUERIES = ["京都", "rare97", "creme a", "nowhere"];
const QUERIES = [
  ...["a", "京", "zebra", "rare", '"a b"', "😀", "\0", "\ud800", "%", '" x', "각", "가"],
  ...SOME_QUERIES,
];

const messagesFrom = (first: number, count: number): NewMessage[] =>
  Array.from({ length: count }, (_, index) => userMessage(textOf(first + index)));

const server = await postgresUrl();
const database = server === undefined ? undefined : await newDatabase(server);
if (database !== undefined) await initPostgres(database);

const OPENERS: Readonly<Record<string, (now: () => number) => Memory>> = {
  SqliteMemory: (now) => new SqliteMemory(temporaryFile(), { now }),
  ...(database === undefined
    ? {}
    : { PostgresMemory: (now) => new PostgresMemory(database, { now }) }),
};

test.each(Object.entries(OPENERS))(
  "%s finds in long histories what a scan finds, whatever was deleted meanwhile",
  async (_, open) => {
    let now = 1;
    const clock = () => now;
    const [indexed, scanned]: readonly Memory[] = [
      open(clock),
      new InMemory(Infinity, { now: clock }),
    ];
    if (indexed === undefined || scanned === undefined) return;
    onTestFinished(async () => void (await indexed.close()));
    const both = async (work: (memory: Memory) => unknown) => {
      await work(indexed);
      await work(scanned);
    };
    const compare = async (words: string, options: SearchOptions) => {
      const [one, other] = [
        await indexed.search?.(words, "alice", options),
        await scanned.search?.(words, "alice", options),
      ];
      const told = (result: typeof one) => ({
        found: result?.found,
        hits: result?.hits.map(({ runId: _, ...hit }) => hit),
      });
      expect(told(one)).toEqual(told(other));
    };
    const compareAll = async (queries = SOME_QUERIES) => {
      for (const words of queries) await compare(words, { limit: 5 });
      await compare("a", { limit: 300, since: 4 });
      await compare("rare", { limit: 300, sessionId: "s1" });
    };

    for (let batch = 0; batch < 12; batch += 1) {
      now = batch;
      await both((memory) =>
        memory.add(messagesFrom(batch * 450, 450), "alice", { sessionId: `s${batch % 3}` }),
      );
      await both((memory) => memory.add(messagesFrom(batch, 20), "bob"));
    }
    await compareAll(QUERIES);
    await both((memory) => memory.add(messagesFrom(9_000, 300), "alice", { sessionId: "s1" }));
    await compareAll();
    await both((memory) => memory.clear("alice", { sessionId: "s2" }));
    await compareAll();
    const [last] = await Promise.all([indexed.getMessages("alice", { sessionId: "s0", limit: 1 })]);
    const lastScanned = await scanned.getMessages("alice", { sessionId: "s0", limit: 1 });
    const replacement = userMessage("a zebra instead");
    await indexed.add(replacement, "alice", { sessionId: "s0", replaceRun: last[0]?.runId });
    await scanned.add(replacement, "alice", { sessionId: "s0", replaceRun: lastScanned[0]?.runId });
    await compareAll();
    await both((memory) => memory.clear("alice"));
    await compareAll();
    await both((memory) => memory.add(messagesFrom(0, 2_100), "alice"));
    await compareAll();
    await both((memory) => memory.clearAll());
    await compareAll();
  },
);

test.each(Object.entries(OPENERS))("%s finds what a scan finds, in wild texts", async (_, open) => {
  const memory = open(() => 0);
  onTestFinished(async () => void (await memory.close()));
  const wild = fc.array(fc.constantFrom(...WORDS, "A", "É", "*", "OR", "(", "'", "\\"), {
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(wild, { minLength: 1, maxLength: 8 }), wild, async (texts, words) => {
      const query = words.join("");
      fc.pre(query.trim().replaceAll('"', "") !== "");
      const userId = randomUUID();
      const scanned = new InMemory();
      const messages = texts.map((parts) => userMessage(parts.join("")));
      await memory.add(messages, userId);
      scanned.add(messages, userId);
      const found = (await memory.search?.(query, userId))?.hits.map(({ id }) => id);
      expect(found).toEqual(scanned.search(query, userId).hits.map(({ id }) => id));
    }),
    { numRuns: 60 },
  );
});

test.each(Object.entries(OPENERS))(
  "%s tells how far the index is, and goes on where a search was stopped",
  async (_, open) => {
    const memory = open(() => 0);
    onTestFinished(async () => void (await memory.close()));
    const userId = randomUUID();
    for (const first of [0, 2_500, 5_000]) await memory.add(messagesFrom(first, 2_500), userId);
    const controller = new AbortController();
    const told: number[] = [];
    const onIndexing = (share: number) => {
      told.push(share);
      controller.abort(new Error("stopped"));
    };
    const stopped = async () =>
      memory.search?.("rare97", userId, { signal: controller.signal, onIndexing });
    await expect(stopped()).rejects.toThrow("stopped");
    expect(told).toEqual([2_048 / 7_500]);
    const rest = { onIndexing: (share: number) => told.push(share) };
    expect((await memory.search?.("rare97", userId, rest))?.found).toBeGreaterThan(0);
    expect(told).toEqual([1, 2, 3].map((blocks) => (blocks * 2_048) / 7_500));
  },
);
