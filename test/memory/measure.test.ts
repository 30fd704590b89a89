import fc from "fast-check";
import { expect, it } from "vitest";
import { jsonBytes } from "../../src/memory/measure.js";
import { wildText } from "../support/wild-text.js";

it("measures any JSON value as many bytes as it is written with", () => {
  const value = fc.jsonValue();
  fc.assert(
    fc.property(
      fc.oneof(value, fc.record({ a: wildText(20), b: value }, { requiredKeys: [] })),
      (json) => {
        expect(jsonBytes(json)).toBe(Buffer.byteLength(JSON.stringify(json)));
      },
    ),
  );
});

it("leaves out what is undefined, as JSON does", () => {
  expect(jsonBytes({ a: undefined })).toBe(2);
  expect(jsonBytes({ a: undefined, b: 1 })).toBe('{"b":1}'.length);
});
