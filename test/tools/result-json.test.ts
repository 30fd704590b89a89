import fc from "fast-check";
import { expect, it } from "vitest";
import { jsonText } from "../../src/tools/result-json.js";

class Money {
  #cents = 5;
  cents = () => this.#cents;
}
class Hollow {
  #cents = 5;
  get cents() {
    return this.#cents;
  }
}
const cycle: Record<string, unknown> = {};
cycle.self = cycle;
it.each<[unknown, RegExp]>([
  [new Error("no such city"), /an error \(no such city\)\.$/],
  [{ result: new TypeError("bad") }, /an error \(bad\) at "result"\.$/],
  [new Map([["a", 1]]), /a Map\.$/],
  [{ seen: new Set([1]) }, /a Set at "seen"\.$/],
  [[1, Number.NaN], /NaN at "1"\.$/],
  [{ most: Infinity }, /Infinity at "most"\.$/],
  [{ big: 10n }, /a bigint at "big"\.$/],
  [() => 1, /a function\.$/],
  [{ a: { b: Symbol("s") } }, /a symbol at "b"\.$/],
  [{ later: Promise.resolve(1) }, /a Promise at "later"\.$/],
  [new Uint8Array(2), /a Uint8Array\.$/],
  [/x/, /a RegExp\.$/],
  [new Hollow(), /a Hollow without fields\.$/],
  [new Money(), /a function at "cents"\.$/],
  [cycle, /contains itself\.$/],
])("refuses %o and names it", (result, words) => {
  expect(() => jsonText(result)).toThrow(words);
});

it("writes JSON as is, and objects with toJSON", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(jsonText(value)).toBe(JSON.stringify(value));
    }),
  );
  expect(jsonText({ at: new Date(0) })).toBe('{"at":"1970-01-01T00:00:00.000Z"}');
  expect(jsonText(Object.assign(Object.create(null), { a: undefined, b: 1 }))).toBe('{"b":1}');
  expect(
    jsonText(
      new (class City {
        name = "Rome";
      })(),
    ),
  ).toBe('{"name":"Rome"}');
  expect(jsonText(undefined)).toBe("done");
});

it("tells what a getter of the result throws", () => {
  const closed = {
    get rows() {
      throw new TypeError("The cursor is closed.");
    },
  };
  expect(() => jsonText({ found: closed })).toThrow("The cursor is closed.");
});

it("refuses what is nested too deeply", () => {
  let deep: unknown = [];
  for (let level = 0; level < 100_000; level++) deep = [deep];
  expect(() => jsonText(deep)).toThrow(/too deep\.$/);
});
