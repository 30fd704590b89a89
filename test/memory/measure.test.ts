import fc from "fast-check";
import { expect, it } from "vitest";
import { jsonBytes } from "../../src/memory/measure.js";
import { wildText } from "../support/wild-text.js";

/** Any JSON value with keys such as messages have. */
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.oneof(wildText(20), fc.constant(null), fc.boolean(), fc.integer()),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.stringMatching(/^[A-Za-z]\w*$/), tie("value"), { maxKeys: 4 }),
  ),
}));

it("measures a JSON value as many bytes as it is written with", () => {
  fc.assert(
    fc.property(value, (json) => {
      expect(jsonBytes(json)).toBe(Buffer.byteLength(JSON.stringify(json)));
    }),
  );
});

it("leaves out what is undefined, as JSON does", () => {
  expect(jsonBytes({ a: undefined })).toBe(2);
  expect(jsonBytes({ a: undefined, b: 1 })).toBe('{"b":1}'.length);
});
