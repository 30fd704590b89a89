import fc from "fast-check";

/** Any code points, even lone surrogates, half of them ASCII. Much faster than `unit: "binary"`. */
export const wildText = (maxLength: number): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof(fc.nat(0x7f), fc.nat(0x10ffff)), { maxLength })
    .map((codePoints) => String.fromCodePoint(...codePoints));
