import fc from "fast-check";
import { expect, test } from "vitest";
import { Canaries } from "../../src/verify/canary.js";
import { Random } from "../../src/verify/random.js";

/** Canaries whose texts all come from the same numbers. */
function canariesOf<Owner>(seed: number): Canaries<Owner> {
  const random = new Random(seed);
  return new Canaries<Owner>(() => random);
}

const FORMS: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  "upper case": (text) => text.toUpperCase(),
  reversed: (text) => [...text].reverse().join(""),
  hexadecimal: (text) => Buffer.from(text).toString("hex"),
  Base64: (text) => Buffer.from(`x ${text} y`).toString("base64"),
  base64url: (text) => Buffer.from(text).toString("base64url"),
  "percent-encoded": (text) =>
    [...text].map((char) => `%${char.charCodeAt(0).toString(16)}`).join(""),
};

test.each(Object.keys(FORMS))("a canary is found %s, anywhere in a text", (form) => {
  const canaries = canariesOf<string>(1);
  const text = canaries.plant("message", "alice");
  canaries.plant("message", "bob");
  fc.assert(
    fc.property(fc.string(), fc.string(), (before, after) => {
      const found = canaries.in(`${before} ${FORMS[form]?.(text)} ${after}`);
      expect(found.map(({ owner }) => owner)).toContain("alice");
      expect(found.map(({ owner }) => owner)).not.toContain("bob");
    }),
  );
});

test("a text of others holds none, however much it looks like one", () => {
  const canaries = canariesOf<string>(1);
  canaries.plant("message", "alice");
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9a-f]{0,80}$/), fc.base64String(), (hex, base64) => {
      expect(canaries.in(`${hex} ${base64}`)).toEqual([]);
    }),
  );
});

test("canaries come in the order of the text, each as often as it is there", () => {
  const canaries = canariesOf<number>(2);
  const [one, two] = [canaries.plant("message", 1), canaries.plant("reply", 2)];
  const found = canaries.in(`${two} ${one}\n${two}`);
  expect(found.map(({ owner }) => owner)).toEqual([2, 1, 2]);
});
