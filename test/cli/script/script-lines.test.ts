import fc from "fast-check";
import { expect, test } from "vitest";
import { linesOf } from "../../../src/cli/script/script-lines.js";
import { type Statement, statementsOf } from "../../../src/cli/script/statements.js";

test("the lines are the same wherever the input is cut", async () => {
  const text = fc.string({ unit: fc.constantFrom("a", "é", "😀", "\n", "\r\n", " ", "\r") });
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(40)), async (script, cuts) => {
      const whole = await all(linesOf(pieces(Buffer.from(script), [])));
      expect(await all(linesOf(pieces(Buffer.from(script), cuts)))).toEqual(whole);
      expect(whole.join("\n")).toBe(script.replace(/(\n|^\r?)$/, "").replace(/\r(?=\n|$)/g, ""));
    }),
  );
});

test("a byte order mark is not part of the first line", async () => {
  const script = Buffer.from("\ufeff/user bob\n");
  expect(await all(linesOf(pieces(script, [1, 2])))).toEqual(["/user bob"]);
});

test("a line is available before the next one arrives", async () => {
  const asked: string[] = [];
  async function* source() {
    for (const chunk of ["one\ntw", "o\n", "three"]) {
      asked.push(chunk);
      yield Buffer.from(chunk);
    }
  }
  const lines = linesOf(source());
  expect(await lines.next()).toEqual({ done: false, value: "one" });
  expect(asked).toEqual(["one\ntw"]);
});

test("a line of ten million characters is read in linear time", async () => {
  const chunk = Buffer.alloc(65_536, "x");
  const line = await all(linesOf(pieces(chunk, [], 160)));
  expect(line.map(({ length }) => length)).toEqual([160 * 65_536]);
});

test("every line is a comment, an expectation, or an input; a block is one message", async () => {
  const script = [
    "# a comment",
    "  Hello # there ",
    "",
    "?contains  two words ",
    "? what is it",
    '"""',
    "/clear",
    "  # no comment",
    '"""',
    "?Contains x",
    "/size",
  ];
  expect(await statementsIn(script)).toEqual([
    { line: 1, kind: "comment", text: "a comment" },
    { line: 2, kind: "input", text: "Hello # there", literal: false },
    { line: 4, kind: "expectation", word: "contains", argument: "two words" },
    { line: 5, kind: "input", text: "? what is it", literal: false },
    { line: 6, kind: "input", text: "/clear\n  # no comment", literal: true },
    { line: 10, kind: "expectation", word: "Contains", argument: "x" },
    { line: 11, kind: "input", text: "/size", literal: false },
  ]);
});

test("a block that is never closed is reported with its first line", async () => {
  expect(await statementsIn(["Hi", '"""', "text"])).toEqual([
    { line: 1, kind: "input", text: "Hi", literal: false },
    { line: 2, kind: "unended-block" },
  ]);
});

async function* pieces(bytes: Uint8Array, cuts: readonly number[], times = 1) {
  const places = [0, ...[...cuts].sort((left, right) => left - right), bytes.length];
  for (let round = 0; round < times; round++)
    for (const [index, place] of places.entries()) yield bytes.subarray(place, places[index + 1]);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function statementsIn(lines: readonly string[]): Promise<Statement[]> {
  async function* source() {
    yield* lines;
  }
  return all(statementsOf(source()));
}
