import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { displayWidth } from "../../../src/cli/render/display-width.js";
import { graphemes } from "../../../src/cli/render/width.js";
import { wrapText } from "../../../src/cli/render/wrap.js";

describe("displayWidth", () => {
  it.each([
    ["plain", 5],
    ["世界", 4],
    ["e\u0301", 1],
    ["👨‍👩‍👧", 2],
    ["🇩🇪", 2],
    ["❤️", 2],
    ["ｆｕｌｌ", 8],
    ["ﾊﾝ", 2],
    ["\u200e\u200b", 0],
    ["", 0],
  ])("measures %s as %i columns", (text, columns) => {
    expect(displayWidth(text)).toBe(columns);
  });

  it("takes what is seen as one character for one", () => {
    expect(graphemes("ae\u0301👨‍👩‍👧🇩🇪世")).toEqual(["a", "e\u0301", "👨‍👩‍👧", "🇩🇪", "世"]);
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

  it("breaks a word wider than a row, and begins it on a row of its own", () => {
    expect(wrap("see https://example.com/a", 12)).toBe("  see\n  https://ex\n  ample.com/\n  a\n");
  });

  it("breaks Chinese and Japanese anywhere but before closing punctuation", () => {
    expect(wrap("你好世界。再见", 10)).toBe("  你好世\n  界。再见\n");
  });

  it("never cuts a joined emoji, a flag or a letter from its marks", () => {
    expect(wrap("👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧", 6)).toBe("  👨‍👩‍👧👨‍👩‍👧\n  👨‍👩‍👧\n");
    expect(wrap("e\u0301e\u0301e\u0301", 4)).toBe("  e\u0301e\u0301\n  e\u0301\n");
  });

  it("never passes the width and never loses or changes a word", () => {
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
          "\u00a0",
        ),
      )
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, fc.integer({ min: 4, max: 40 }), (source, width) => {
        const wrapped = wrap(source, width);
        for (const row of wrapped.split("\n")) expect(displayWidth(row)).toBeLessThanOrEqual(width);
        expect(wrapped.replace(/\s/g, "")).toBe(source.replace(/\s/g, ""));
      }),
    );
  });
});
