import assert from "node:assert/strict";
import type { Memory, SearchOptions, SearchResult } from "../../memory/memory.js";
import { assistantMessage, systemMessage, toolMessage, userMessage } from "../../messages.js";
import { rejects } from "./memory-assertions.js";
import type { MemoryChecks, MemoryFixture } from "./memory-fixture.js";
import { STRANGE_IDS } from "./strange-values.js";

/** Searches a memory; its hits as texts with what matches in brackets. */
class Searcher {
  readonly memory: Memory;
  readonly #search: NonNullable<Memory["search"]>;

  constructor(memory: Memory, search: NonNullable<Memory["search"]>) {
    this.memory = memory;
    this.#search = search;
  }

  async result(words: string, userId?: string, options?: SearchOptions): Promise<SearchResult> {
    return this.#search.call(this.memory, words, userId, options);
  }

  async shown(words: string, userId?: string, options?: SearchOptions): Promise<string[]> {
    const { hits } = await this.result(words, userId, options);
    return hits.map(({ excerpt }) =>
      excerpt.map(({ text, isMatch }) => (isMatch ? `[${text}]` : text)).join(""),
    );
  }
}

/** A memory that cannot search passes them all. */
const searching =
  (check: (searcher: Searcher, fixture: MemoryFixture) => Promise<void>) =>
  async (fixture: MemoryFixture): Promise<void> => {
    const { memory } = fixture;
    if (memory.search !== undefined) await check(new Searcher(memory, memory.search), fixture);
  };

const say = async (memory: Memory, userId: string, ...texts: string[]): Promise<void> => {
  for (const text of texts) await memory.add(userMessage(text), userId);
};

/** A text, what is searched in it, and how it is shown. */
const FOUND: readonly (readonly [text: string, words: string, shown: string])[] = [
  ["The Zebra slept.", "zebra", "The [Zebra] slept."],
  ["The Zebra slept.", "slept THE", "[The] Zebra [slept]."],
  ["Crème brûlée", "creme BRULEE", "[Crème] [brûlée]"],
  ["cre\u0300me", "crème", "[cre\u0300me]"],
  ["unbelievable", "believ", "un[believ]able"],
  ["東京都に住んでいます", "京都", "東[京都]に住んでいます"],
  ["猫がいる", "猫", "[猫]がいる"],
  ["我喜欢北京烤鸭", "北京", "我喜欢[北京]烤鸭"],
  ["ｶﾞﾗｽ", "ガラス", "[ｶﾞﾗｽ]"],
  ["서울에 갔다", "서울", "[서울]에 갔다"],
  ["Привет, ΜΆΙΟΣ", "ПРИВЕТ μαιος", "[Привет], [ΜΆΙΟΣ]"],
  ["party 🎉 now", "🎉", "party [🎉] now"],
  ["I ❤\ufe0f it", "❤", "I [❤\ufe0f] it"],
  ["one  two\nthree", '"two three"', "one [two three]"],
  ["a OR b NEAR c* (d) -e col:f ^g", "NEAR OR", "a [OR] b [NEAR] c* (d) -e col:f ^g"],
  ["c* (d) -e", "c* -e", "[c*] (d) [-e]"],
  ["100% of_it ' \\ \" ;--", "% _ ' \\ \" ;--", "100[%] of[_]it ['] [\\] [\"] [;--]"],
  ["NUL \0 and \ud800 alone", "\ud800 \0", "NUL [\0] and [\ud800] alone"],
];

export const searches: MemoryChecks = {
  "finds words and parts of words, whatever their case, accents and script": searching(
    async (searcher) => {
      for (const [index, [text, words, shown]] of FOUND.entries()) {
        const userId = `user-${index}`;
        await say(searcher.memory, userId, "nothing of it here", text);
        assert.deepEqual(await searcher.shown(words, userId), [shown]);
      }
    },
  ),

  "finds only messages with all of the words, and a phrase only as it is": searching(
    async (searcher) => {
      await say(searcher.memory, "a", "red fox", "fox and red", "only red", "a redfox");
      assert.deepEqual(await searcher.shown("red fox", "a"), [
        "[red] [fox]",
        "[fox] and [red]",
        "a [redfox]",
      ]);
      assert.deepEqual(await searcher.shown('"red fox"', "a"), ["[red fox]"]);
      assert.equal((await searcher.result("red", "a")).found, 4);
      assert.deepEqual(await searcher.result("green", "a"), { hits: [], found: 0 });
    },
  ),

  "shows words side by side first, then whole words, then parts; each newest first": searching(
    async (searcher) => {
      const texts = ["ice cream", "cream of ice", "nice creams", "the ice cream", "icecream"];
      await say(searcher.memory, "a", ...texts);
      const { hits, found } = await searcher.result("ice cream", "a");
      assert.equal(found, 5);
      const order = hits.map(({ excerpt }) => excerpt.map(({ text }) => text).join(""));
      assert.deepEqual(order, [
        "the ice cream",
        "ice cream",
        "cream of ice",
        "icecream",
        "nice creams",
      ]);
    },
  ),

  "tells the message, run, session, role and time of a hit": searching(
    async (searcher, { clock }) => {
      const { memory } = searcher;
      clock.now = Date.UTC(2026, 2, 4, 5, 6, 7);
      const stored = await memory.add(
        [
          systemMessage("a word of the system"),
          userMessage("a word"),
          assistantMessage("", [{ id: "1", name: "look", arguments: "{}" }]),
          toolMessage("1", "the word of a tool"),
          assistantMessage("my word"),
        ],
        "a",
        { sessionId: "work" },
      );
      const { hits } = await searcher.result("word", "a");
      const told = hits.map(({ excerpt: _, ...rest }) => rest);
      const wanted = stored
        .filter(({ content }) => content !== "")
        .map(({ id, runId, sessionId, role, createdAt }) => ({
          ...{ id, runId, sessionId, role, createdAt },
        }));
      assert.deepEqual(told, wanted.reverse());
      assert.equal(told[0]?.sessionId, "work");
      assert.equal(told[0]?.createdAt, "2026-03-04T05:06:07.000Z");
    },
  ),

  "searches all sessions, or the one that is named, and only since a time": searching(
    async (searcher, { clock }) => {
      const { memory } = searcher;
      const start = clock.now;
      for (const [index, sessionId] of ["one", "two", "one"].entries()) {
        clock.now = start + index;
        await memory.add(userMessage(`word ${index}`), "a", { sessionId });
      }
      const found = async (options: SearchOptions) =>
        (await searcher.result("word", "a", options)).hits.map(({ id }) => id);
      assert.deepEqual(await found({}), [3, 2, 1]);
      assert.deepEqual(await found({ sessionId: "one" }), [3, 1]);
      assert.deepEqual(await found({ sessionId: "three" }), []);
      assert.deepEqual(await found({ since: start + 1 }), [3, 2]);
      assert.deepEqual(await found({ sessionId: "one", since: start + 1 }), [3]);
      assert.deepEqual(await found({ since: start + 3 }), []);
    },
  ),

  "returns the best 10 hits unless told otherwise, and counts the others": searching(
    async (searcher) => {
      const texts = Array.from({ length: 12 }, (_, index) => userMessage(`word ${index}`));
      await searcher.memory.add(texts, "a");
      const counts = async (options?: SearchOptions) => {
        const { hits, found } = await searcher.result("word", "a", options);
        return [hits.length, found];
      };
      assert.deepEqual(await counts(), [10, 12]);
      assert.deepEqual(await counts({ limit: 1 }), [1, 12]);
      assert.deepEqual(await counts({ limit: 1000 }), [12, 12]);
    },
  ),

  "finds at most the newest 1,000 messages": searching(async (searcher) => {
    const { memory } = searcher;
    await memory.add(userMessage("the oldest word of all"), "a");
    for (let batch = 0; batch < 4; batch += 1)
      await memory.add(
        Array.from({ length: 250 }, () => userMessage("word")),
        "a",
      );
    const { hits, found } = await searcher.result("word", "a", { limit: 1000 });
    assert.equal(found, 1000);
    assert.equal(hits.length, 1000);
    assert.equal(hits[0]?.id, 1001);
    assert.equal(hits.at(-1)?.id, 2);
    assert.equal((await searcher.result("oldest", "a")).found, 1);
  }),

  "shows of a long message what stands around the words": searching(async (searcher) => {
    const filler = "lorem ipsum ".repeat(1_000);
    await say(searcher.memory, "a", `${filler}the zebra and a lion${filler}`);
    const [shown = ""] = await searcher.shown("zebra lion", "a");
    assert.match(shown, /^….*the \[zebra\] and a \[lion\]lorem.*…$/);
    assert.ok(shown.length < 180);
  }),

  "never finds a message of another user, whatever the ids look like": searching(
    async (searcher) => {
      for (const [index, id] of STRANGE_IDS.entries())
        await say(searcher.memory, id, `the word of ${index}`);
      for (const [index, id] of STRANGE_IDS.entries())
        assert.deepEqual(await searcher.shown("word", id), [`the [word] of ${index}`]);
      assert.equal((await searcher.result("word", "nobody")).found, 0);
    },
  ),

  "finds what was stored last, and nothing that is gone": searching(async (searcher) => {
    const { memory } = searcher;
    const count = async () => (await searcher.result("word", "a")).found;
    const [first] = await memory.add(userMessage("word 1"), "a");
    assert.equal(await count(), 1);
    await memory.add(userMessage("word 2"), "a", { replaceRun: first?.runId });
    assert.deepEqual(await searcher.shown("word", "a"), ["[word] 2"]);
    await memory.add(userMessage("word 3"), "a", { sessionId: "other" });
    assert.equal(await count(), 2);
    await memory.clear("a", { sessionId: "other" });
    assert.equal(await count(), 1);
    await memory.clear("a");
    assert.equal(await count(), 0);
    await memory.add(userMessage("word 4"), "a");
    await memory.clearAll();
    assert.equal(await count(), 0);
  }),

  "refuses to search for nothing, for too much, and with a wrong limit or time": searching(
    async (searcher) => {
      const refused = (words: string, options?: SearchOptions) =>
        rejects("INVALID_INPUT", () => searcher.result(words, "a", options));
      for (const words of ["", "  ", '""', "\u0301", "x".repeat(501), 5 as unknown as string])
        await refused(words);
      for (const limit of [0, -1, 1.5, 1001, Number.NaN, Infinity]) await refused("x", { limit });
      for (const since of [Number.NaN, "1" as unknown as number]) await refused("x", { since });
      await rejects("INVALID_USER_ID", () => searcher.result("x", "a\nb"));
      await rejects("INVALID_SESSION_ID", () => searcher.result("x", "a", { sessionId: "a\nb" }));
    },
  ),
};
