import fc from "fast-check";
import { expect, test } from "vitest";
import { excerptOf } from "../../src/memory/search/excerpt.js";
import { fold, foldWithOrigins } from "../../src/memory/search/fold.js";
import { Query } from "../../src/memory/search/query.js";

/** Letters that fold in every way there is, and parts of letters. */
const LETTERS = [
  ..."aAéÉßİıΣσςЙйё ,_%\"'",
  ..."か゛がｶﾞカ京都北한각ㄱㅏกำ",
  ...[
    "e\u0301",
    "\u0301",
    "\u3099",
    "👍🏽",
    "👩‍👩‍👧",
    "❤\ufe0f",
    "ﬁ",
    "㌀",
    "\u00a0",
    "\n",
    "\0",
    "\x1b[31m",
  ],
  ...["\ud83d", "\ude00", "\u202e", "\t ", "Å", "①"],
];

const wild = (maxLength: number) =>
  fc.array(fc.constantFrom(...LETTERS), { maxLength }).map((letters) => letters.join(""));

const textOf = (parts: ReturnType<typeof excerptOf>) => parts.map(({ text }) => text).join("");

test("folding keeps the way back to the text", () => {
  fc.assert(
    fc.property(wild(40), (text) => {
      const { folded, origins } = foldWithOrigins(text);
      // Marks of one letter may change places.
      expect([...folded].toSorted()).toEqual([...fold(text)].toSorted());
      expect(origins).toHaveLength(folded.length + 1);
      expect(origins).toEqual(origins.toSorted((left, right) => left - right));
    }),
  );
});

test("an excerpt is a part of the text, and marks what was searched for", () => {
  const asOneLine = (text: string) => text.replace(/\s+/g, " ");
  fc.assert(
    fc.property(wild(30), wild(4), wild(30), (before, words, after) => {
      const content = before + words + after;
      const term = fold(words).trim();
      fc.pre(term !== "" && fold(content).includes(term));
      const parts = excerptOf(content, [term]);
      expect(asOneLine(content)).toContain(asOneLine(textOf(parts)).replaceAll("…", ""));
      const marked = parts.filter(({ isMatch }) => isMatch);
      fc.pre(foldWithOrigins(content).folded.includes(term));
      expect(marked.length).toBeGreaterThan(0);
      for (const { text } of marked) expect(fold(text)).toContain(term);
    }),
    { numRuns: 500 },
  );
});

test.each([
  ["at the start of the text", "\u0301\u3099", "\u3099"],
  ["that belongs to nothing", "\u0301\ude00", "\ude00"],
  ["in a heap of marks", `a${"\u3099".repeat(60)}\u3099\u309a`, "\u309a"],
])("an excerpt shows a match that is a mark %s", (_, content, term) => {
  const marked = excerptOf(content, [term]).filter(({ isMatch }) => isMatch);
  expect(marked.map(({ text }) => fold(text).includes(term))).toEqual([true]);
});

test("an excerpt never marks a part of a phrase", () => {
  const content = `${"x".repeat(50)} a b${"y".repeat(36)} zebra ${"z".repeat(80)} lion cat`;
  const parts = excerptOf(content, ["a b", "zebra", "lion", "cat"]);
  const marked = parts.filter(({ isMatch }) => isMatch);
  expect(marked.map(({ text }) => text)).toEqual(["zebra", "lion", "cat"]);
});

test.each([
  ["a word in the middle of a long text", 20_000, 20_000],
  ["at the start", 0, 20_000],
  ["at the end", 20_000, 0],
])("an excerpt of a long text shows %s", (_, before, after) => {
  const content = `${"lorem, ".repeat(before)}the Zebra${" ipsum".repeat(after)}`;
  const excerpt = textOf(excerptOf(content, ["zebra"]));
  expect(excerpt).toContain("the Zebra");
  expect(excerpt.length).toBeLessThan(170);
  expect(excerpt.startsWith("…")).toBe(before > 0);
  expect(excerpt.endsWith("…")).toBe(after > 0);
});

test("an excerpt begins with a whole word", () => {
  const parts = excerptOf(`${"lorem ipsum ".repeat(20)}the zebra`, ["zebra"]);
  expect(parts[0]?.text).toMatch(/^…(lorem|ipsum) /);
  expect(textOf(excerptOf(`${"京".repeat(200)}都`, ["都"]))).toBe(`…${"京".repeat(40)}都`);
});

test("an excerpt shows the place with the most words", () => {
  const content = `zebra ${"x ".repeat(3_000)} a lion and a zebra ${"x ".repeat(3_000)} lion`;
  expect(textOf(excerptOf(content, ["zebra", "lion"]))).toContain("lion and a zebra");
});

test("an excerpt shows a phrase that is longer than itself whole", () => {
  const phrase = "word ".repeat(90).trim();
  const parts = excerptOf(`before ${phrase} after`, [phrase]);
  expect(parts.find(({ isMatch }) => isMatch)?.text).toBe(phrase);
});

test("an excerpt never cuts a letter in two", () => {
  for (let before = 60; before < 70; before += 1) {
    const content = `${"👩‍👩‍👧".repeat(before)}zebra${"e\u0301".repeat(200)}`;
    const excerpt = textOf(excerptOf(content, ["zebra"]));
    expect(excerpt.isWellFormed()).toBe(true);
    expect(excerpt).toMatch(/^…👩/u);
    expect(excerpt).toMatch(/e\u0301…$/u);
  }
});

test("a word fits best where it stands alone", () => {
  const fits = (words: string, text: string) => new Query(words).fitOf(text);
  expect(fits("cat", "the cat.")).toBe(2);
  expect(fits("cat", "cats")).toBe(0);
  expect(fits("cat", "concat cats cat")).toBe(2);
  expect(fits("big cat", "a cat, big")).toBe(1);
  expect(fits("big cat", "a big cat")).toBe(2);
  expect(fits("京都", "東京都")).toBe(2);
  expect(fits("a", "a".repeat(1_000_000))).toBe(0);
});
