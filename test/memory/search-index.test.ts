import fc from "fast-check";
import { expect, test } from "vitest";
import { bitsOf, buildBlock, IDS_PER_BLOCK, idsOf, partOf } from "../../src/memory/search/block.js";
import { fold } from "../../src/memory/search/fold.js";
import { gramsOfTerms } from "../../src/memory/search/grams.js";
import { Query } from "../../src/memory/search/query.js";
import type { StoredMessage } from "../../src/messages.js";

const messageOf = (content: string, id: number): StoredMessage => ({
  ...{ role: "user", content, id, runId: "r", sessionId: "s" },
  createdAt: new Date(id).toISOString(),
});

/** Few letters, so that texts have grams in common. */
const text = (maxLength: number) =>
  fc
    .array(fc.constantFrom(..."aab  é京都北が😀", "\ud83d", "\0", "각"), { maxLength })
    .map((letters) => letters.join(""));

test("a block knows every message that has a term", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(text(60), fc.integer({ min: 1, max: 300 })), {
        minLength: 1,
        maxLength: 40,
      }),
      text(5),
      (texts, words) => {
        const term = fold(words).trim();
        fc.pre(term !== "");
        let id = 0;
        const messages = texts.map(([content, step]) => {
          id += step;
          return messageOf(content, id);
        });
        const block = buildBlock(messages);
        const covered = messages.filter((message) => message.id <= block.lastId);
        expect(block.lastId - block.firstId).toBeLessThan(IDS_PER_BLOCK);
        for (const gram of gramsOfTerms([term])) {
          const part = block.postings[partOf(gram, block)] as Uint8Array;
          const ids = idsOf(bitsOf(gram, part, block), block);
          expect(ids).toEqual(ids.toSorted((left, right) => right - left));
          const query = new Query(`"${words}"`);
          for (const message of covered)
            if (query.matches(message.content)) expect(ids).toContain(message.id);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("a block of many words keeps its parts small, and tells rare words from others", () => {
  const messages = Array.from({ length: IDS_PER_BLOCK }, (_, index) =>
    messageOf(
      `message ${index} of ${(index * 7919) % 1009} and ${index % 10 === 0 ? "é" : "e"}`,
      index + 5,
    ),
  );
  const block = buildBlock(messages);
  expect(block).toMatchObject({ firstId: 5, lastId: IDS_PER_BLOCK + 4, latest: IDS_PER_BLOCK + 4 });
  expect(block.postings).toHaveLength(block.parts);
  for (const part of block.postings) expect(part.length).toBeLessThan(20_000);
  const [gram = 0] = gramsOfTerms(["2047"]);
  const ids = idsOf(bitsOf(gram, block.postings[partOf(gram, block)] as Uint8Array, block), block);
  expect(ids.length).toBeLessThan(IDS_PER_BLOCK / 20);
  expect(ids).toContain(2047 + 5);
});

test("every character is folded as its normalised form, with or without the shortcut", () => {
  // Arabic is not plain, so that a text with it is normalised.
  const normalised = (text: string) => fold(`${text}ا`).slice(0, -1);
  for (let unit = 0; unit < 0x10000; unit += 1) {
    const text = `A${String.fromCharCode(unit)}b`;
    if (fold(text) !== normalised(text)) expect(`${unit.toString(16)}: ${fold(text)}`).toBe("");
  }
});
