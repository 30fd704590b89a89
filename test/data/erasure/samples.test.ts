import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SAMPLE_BYTES, Samples } from "../../../src/data/erasure/samples.js";
import { numbersFrom } from "../../support/numbers.js";
import { wildText } from "../../support/wild-text.js";

/** Where samples are in these bytes. */
function offsetsIn(samples: Samples, bytes: Uint8Array): number[] {
  const offsets: number[] = [];
  samples.findIn(bytes, (_, offset) => offsets.push(offset));
  return offsets;
}

const of = (...texts: readonly string[]): Samples => {
  const samples = new Samples();
  for (const text of texts) samples.addText(text);
  return samples;
};

describe("a sample", () => {
  it("is found at any place, and nothing else is", () => {
    // Few different bytes, so that much of it is almost a sample.
    const some = (length: number) =>
      fc.uint8Array({ min: 0, max: 5, minLength: length, maxLength: length });
    fc.assert(
      fc.property(
        fc.array(some(SAMPLE_BYTES), { minLength: 1, maxLength: 5 }),
        fc.array(fc.oneof(some(3), some(SAMPLE_BYTES), fc.nat(4)), { maxLength: 30 }),
        (texts, parts) => {
          const samples = new Samples();
          for (const text of texts) samples.addBytes(text);
          const bytes = Buffer.concat(
            parts
              .map((part) => (typeof part === "number" ? (texts[part] ?? []) : part))
              .map(Buffer.from),
          );
          const distinct = texts.filter((text) => new Set(text).size >= 5).map(Buffer.from);
          const expected = Array.from({ length: bytes.length }, (_, offset) => offset).filter(
            (offset) =>
              distinct.some((text) => text.equals(bytes.subarray(offset, offset + SAMPLE_BYTES))),
          );
          expect(offsetsIn(samples, bytes)).toEqual(expected);
        },
      ),
    );
  });

  it("tells every text that is long enough, as it is and as JSON", () => {
    fc.assert(
      fc.property(wildText(2_000), wildText(40), (text, around) => {
        const samples = of(text);
        for (const form of [text, JSON.stringify(text).slice(1, -1)]) {
          const alone = new Samples();
          alone.addBytes(Buffer.from(form));
          const offsets = offsetsIn(samples, Buffer.from(around + form + around));
          expect(offsets.length).toBeGreaterThanOrEqual(alone.count);
        }
      }),
    );
  });

  it("is in every piece of a long text that is as long as a part of a page", () => {
    const below = numbersFrom(3);
    const text = Array.from({ length: 20_000 }, () => "abcdefghijkl\n"[below(13)]).join("");
    const samples = of(text);
    for (let start = 0; start + 400 < text.length; start += 97) {
      const piece = JSON.stringify(text.slice(start, start + 400));
      expect(offsetsIn(samples, Buffer.from(piece))).not.toEqual([]);
    }
  });

  it("is not taken of a text that is too short or too plain, which is counted", () => {
    const samples = of("Hello, Alice!", "-".repeat(500), "a sentence long enough");
    expect(samples.texts).toEqual({ added: 3, skipped: 2 });
    expect(offsetsIn(samples, Buffer.from("-".repeat(900)))).toEqual([]);
  });

  it("of the same text is kept once", () => {
    expect(of("the same sentence", "the same sentence").count).toBe(of("the same sentence").count);
  });
});

describe("too many samples", () => {
  const texts = Array.from({ length: 5_000 }, (_, index) => `text number ${index} of many texts`);

  it("are thinned out evenly", () => {
    const samples = new Samples(1_000);
    for (const text of texts) samples.addText(text);
    expect(samples.count).toBeLessThanOrEqual(1_000);
    expect(samples.count).toBeGreaterThan(300);
    expect(samples.oneIn).toBeGreaterThan(1);
    const inThirds = [0, 1, 2].map((third) => {
      const some = texts.filter((_, index) => Math.floor((index * 3) / texts.length) === third);
      return offsetsIn(samples, Buffer.from(some.join("\n"))).length;
    });
    for (const third of inThirds) expect(third).toBeGreaterThan(samples.count / 6);
  });

  it("can be narrowed to some of them", () => {
    const samples = of(...texts);
    const bytes = Buffer.from(texts[77] as string);
    const found: number[] = [];
    samples.findIn(bytes, (sample) => found.push(sample));
    const some = samples.only(found.slice(0, 1));
    expect(some.count).toBe(1);
    expect(offsetsIn(some, bytes)).toEqual([0]);
    expect(offsetsIn(some, Buffer.from(texts[78] as string))).toEqual([]);
  });
});
