import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPalette, type Palette } from "../../../src/cli/render/colour.js";
import { markdownReply } from "../../../src/cli/render/markdown-reply.js";

const plain = createPalette({}, { env: {} });

/** A palette that fails from the n-th use on. */
function failingAt(count: number): Palette {
  let uses = 0;
  return new Proxy(plain, {
    get(palette, name) {
      uses += 1;
      if (uses >= count) throw new Error("cannot paint");
      return Reflect.get(palette, name);
    },
  });
}

describe("a reply that cannot be drawn", () => {
  it("is shown as written from there on, with every word, wherever it fails", () => {
    const source =
      "# Title\n\nA **bold** word.\n\n| a | b |\n|---|---|\n| c | d |\n\n```\ncode\n```\nend";
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 60 }),
        fc.integer({ min: 1, max: 20 }),
        (count, size) => {
          const reply = markdownReply({ width: () => 40, palette: failingAt(count), indent: "  " });
          let shown = "";
          for (let at = 0; at < source.length; at += size)
            shown += reply.write(source.slice(at, at + size));
          shown += reply.end();
          for (const word of source.match(/[a-z]+/gi) ?? []) expect(shown).toContain(word);
        },
      ),
    );
  });
});
