import fc from "fast-check";

/** Any code points, lone surrogates included, half of them ASCII. Far quicker to set up than the unit `binary`. */
export const wildText = (maxLength: number): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof(fc.nat(0x7f), fc.nat(0x10ffff)), { maxLength })
    .map((codePoints) => String.fromCodePoint(...codePoints));
