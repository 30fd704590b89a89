import headless from "@xterm/headless";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { graphemes, textWidth } from "../../../src/cli/render/width.js";
import { wrapText } from "../../../src/cli/render/wrap.js";
import { sanitise } from "../../../src/sanitise.js";

/** Terminals disagree: some draw a joined emoji in 2 columns, others show each of its parts. */
describe("textWidth", () => {
  it.each([
    ["plain", 5],
    ["世界", 4],
    ["e\u0301", 1],
    ["ที่", 1],
    ["👨‍👩‍👧", 6],
    ["🇩🇪", 4],
    ["❤️", 2],
    ["ｆｕｌｌ", 8],
    ["ﾊﾝ", 2],
    ["\u200e\u200b", 0],
    ["\x1b[31mred\x1b[0m", 3],
    ["", 0],
  ])("measures %s as at most %i columns", (text, columns) => {
    expect(textWidth(text)).toBe(columns);
  });

  it("never measures a character as narrower than xterm.js draws it", async () => {
    const codes = Array.from({ length: 0x20000 - 0xa0 }, (_, index) => 0xa0 + index);
    const characters = codes.map((code) => String.fromCodePoint(code)).filter(isShown);
    const columns = await drawnColumns(characters);
    expect(characters.filter((each, index) => textWidth(each) < (columns[index] ?? 9))).toEqual([]);
  });
});

function isShown(character: string): boolean {
  return sanitise(character) === character && !/[\p{Cn}\p{Co}]/u.test(character);
}

/** The columns by which a real terminal moves its cursor, as it reports them. */
async function drawnColumns(characters: readonly string[]): Promise<number[]> {
  const terminal = new headless.Terminal({ allowProposedApi: true });
  const columns: number[] = [];
  terminal.onData((report) => columns.push(Number(/;(\d+)R/.exec(report)?.[1]) - 2));
  const probes = characters.map((character) => `\r\x1b[Kx${character}\x1b[6n`);
  await new Promise<void>((resolve) => terminal.write(probes.join(""), resolve));
  return columns;
}

describe("graphemes", () => {
  it("splits text into the characters a reader sees", () => {
    expect(graphemes("ae\u0301👨‍👩‍👧🇩🇪世")).toEqual(["a", "e\u0301", "👨‍👩‍👧", "🇩🇪", "世"]);
  });

  it("splits a long text like a short one", () => {
    const units = ["a", "世", "e\u0301", "👨‍👩‍👧", "🇩🇪", "🇩", "\r\n", "क्षि", "한", "\ud83d"];
    const text = fc
      .array(fc.constantFrom(...units), { minLength: 700, maxLength: 1500 })
      .map((parts) => parts.join(""));
    const whole = (source: string) =>
      Array.from(new Intl.Segmenter().segment(source), ({ segment }) => segment);
    fc.assert(
      fc.property(text, (source) => {
        expect(graphemes(source)).toEqual(whole(source));
      }),
      { numRuns: 50 },
    );
  });
});

describe("wrapText", () => {
  const wrap = (text: string, width: number, indent = "  ") => wrapText(text, { width, indent });

  it("fills rows with words, each row indented", () => {
    expect(wrap("one two three four", 12)).toBe("  one two\n  three four\n");
  });

  it("keeps lines, empty lines and the indentation of a line", () => {
    expect(wrap("a\n\n   b c d e f", 10)).toBe("  a\n\n     b c d\n     e f\n");
  });

  it("breaks a word wider than a row, and starts it on a new row", () => {
    expect(wrap("see https://example.com/a", 12)).toBe("  see\n  https://ex\n  ample.com/\n  a\n");
  });

  it("breaks Chinese and Japanese anywhere but before closing punctuation", () => {
    expect(wrap("你好世界。再见", 10)).toBe("  你好世\n  界。再见\n");
  });

  it("never cuts a joined emoji, a flag or a letter from its marks", () => {
    expect(wrap("👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧", 14)).toBe("  👨‍👩‍👧👨‍👩‍👧\n  👨‍👩‍👧\n");
    expect(wrap("🇩🇪🇩🇪🇩🇪", 10)).toBe("  🇩🇪🇩🇪\n  🇩🇪\n");
    expect(wrap("e\u0301e\u0301e\u0301", 4)).toBe("  e\u0301e\u0301\n  e\u0301\n");
  });

  it("does not break a Hindi word that fits a row", () => {
    expect(wrap("किताब किताब", 10)).toBe("  किताब\n  किताब\n");
  });

  it.each([
    ["spacing marks", `क${"\u093e".repeat(77)}`],
    ["new marks", `a${"\u1ab0".repeat(77)}`],
    ["Hangul fillers", "\u3164".repeat(39)],
    ["soft hyphens", "x\u00ad".repeat(39)],
  ])("never leaves a row for the terminal to wrap: %s", (_, filling) => {
    const wrapped = wrap(`${filling}bob> Now talking as bob.`, 80);
    for (const row of wrapped.split("\n")) expect(textWidth(row)).toBeLessThanOrEqual(80);
    expect(wrapped).toMatch(/^(?: {2}.*\n)+$/);
  });

  it.each(["漢", "🇩", "e\u0301", "क\u093e"])("wraps %s 100,000 times in a row", (unit) => {
    const wrapped = wrap(unit.repeat(100_000), 80);
    expect(wrapped.replace(/\s/g, "").length).toBe(unit.length * 100_000);
  });

  it("never exceeds the width, and never loses or changes a word", () => {
    const text = fc
      .array(
        fc.constantFrom(
          "a",
          "word",
          "longerword",
          " ",
          "  ",
          "\n",
          "世",
          "。",
          "👨‍👩‍👧",
          "e\u0301",
          "कि\u093e\u093e",
          "\u3164",
          "x\u00ad",
          "\u00a0",
        ),
      )
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, fc.integer({ min: 4, max: 40 }), (source, width) => {
        const wrapped = wrap(source, width);
        for (const row of wrapped.split("\n")) expect(textWidth(row)).toBeLessThanOrEqual(width);
        expect(wrapped.replace(/\s/g, "")).toBe(source.replace(/\s/g, ""));
      }),
    );
  });
});
