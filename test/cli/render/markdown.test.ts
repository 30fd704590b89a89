import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPalette } from "../../../src/cli/render/colour.js";
import { createMarkdownRenderer } from "../../../src/cli/render/markdown.js";
import { textWidth } from "../../../src/cli/render/width.js";
import { cpuTime } from "../../support/cpu-time.js";

const noColour = createPalette({}, { env: {} });
const colour = createPalette({}, { env: { FORCE_COLOR: "1" } });

interface Drawing {
  readonly columns?: number;
  readonly palette?: typeof colour;
}

function draw(
  chunks: string | readonly string[],
  { columns = 40, palette = noColour }: Drawing = {},
) {
  const renderer = createMarkdownRenderer({ width: () => columns, palette, indent: "  " });
  const written = [chunks].flat().map((chunk) => renderer.write(chunk));
  return written.join("") + renderer.end();
}

const STYLES = /\x1b\[[\d;]*m/g;

/** The expected rows, each with a line feed. */
function rows(...lines: string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

const SOURCE = [
  "# Title",
  "## Title `x`",
  "para",
  "Under\n===",
  "Under\n---",
  "- item",
  "  - nested",
  "1. one",
  "10. ten",
  "- [x] done",
  "> quote",
  "> - item",
  "```ts\ncode  here\n\n  more\n```",
  "~~~",
  "```",
  "    indented",
  "| a | b |",
  "|---|--:|",
  "| 1 | **2** |",
  "---",
  "***",
  "**bold",
  "bold**",
  "*em* `code` ~~gone~~",
  "[text](http://a.b/c)",
  "![i](u)",
  "<b>html</b>",
  "snake_case 2*3 2 * 3",
  "hard  ",
  "hard\\",
  "你好，世界。这是一个很长的句子，需要换行。",
  "👨‍👩‍👧🇩🇪",
  "a paragraph that is longer than the head of a line, so that it flows while it arrives, **and on** and on",
  "\\* &amp; https://example.com/a_b?c=d",
  "\t tab",
  "-",
  "1.",
  ">",
  "x".repeat(60),
  "",
];

const anyMarkdown = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...SOURCE) },
      { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 20 }) },
      { weight: 1, arbitrary: fc.stringMatching(/^[-*_`~#>|[\]()\\ \n1.a]{0,20}$/) },
    ),
    { maxLength: 14 },
  )
  .chain((parts) =>
    fc
      .array(fc.constantFrom("\n", "\n\n", " ", ""), {
        minLength: parts.length,
        maxLength: parts.length,
      })
      .map((ends) => parts.map((part, index) => part + ends[index]).join("")),
  )
  .map((text) => text.replace(/(?![\n\t])\p{Cc}/gu, ""));

describe("a markdown reply", () => {
  it("is only wrapped when it contains no Markdown", () => {
    expect(draw("Just some words, said plainly and without any marks.\n\nAnd more.")).toBe(
      rows("  Just some words, said plainly and", "  without any marks.", "", "  And more."),
    );
  });

  it("keeps literal stars, underscores and brackets", () => {
    const text = "2 * 3 * 4, snake_case_name, **kwargs, a[0] and C:\\dir\\";
    expect(draw(text, { columns: 80 })).toBe(`  ${text}\n`);
  });

  it("shows headings in both notations", () => {
    expect(draw("# One\n## Two ##\nThree\n---\ntext")).toBe(
      rows("  # One", "  ## Two", "  ## Three", "  text"),
    );
  });

  it("indents the rows of a list item, nested and numbered as written", () => {
    const source =
      "1. first item that is wider than the row\n  - two blanks\n    - deeper\n10. [x] done\n-\n- after";
    expect(draw(source, { columns: 30 })).toBe(
      rows(
        "  1. first item that is wider",
        "     than the row",
        "     • two blanks",
        "       • deeper",
        "  10. [x] done",
        "  •",
        "  • after",
      ),
    );
  });

  it("keeps code as it is, inside its list item, and marks the further rows of a line", () => {
    const source =
      "- run\n\n  ```sh\n  npx agno-chat   ask --user alice 'who am I?'\n\n    **raw**\n  ```\n- next";
    expect(draw(source, { columns: 34 })).toBe(
      rows(
        "  • run",
        "",
        "    ╭ sh",
        "    │ npx agno-chat   ask --user a",
        "    ┆ lice 'who am I?'",
        "    │",
        "    │   **raw**",
        "    ╰",
        "  • next",
      ),
    );
  });

  it("shows tabs in code as blanks", () => {
    expect(draw("```a\tb\n\tx\n```")).toBe(rows("  ╭ a    b", "  │     x", "  ╰"));
  });

  it("closes a code block that the reply leaves open", () => {
    expect(draw("```\nx")).toBe(rows("  ╭", "  │ x", "  ╰"));
  });

  it("draws quotes and the blocks inside them with a bar", () => {
    expect(draw("> said\n>\n> - item\n\nafter")).toBe(
      rows("  ┃ said", "  ┃", "  ┃ • item", "", "  after"),
    );
  });

  it("fits a table to the width, wrapping the widest cells", () => {
    const source =
      "| Name | Age | Known for |\n|---|--:|---|\n| Alice | 30 | asking `who am I?` again |\n| 李雷 | 7 | |\n\nend";
    expect(draw(source, { columns: 36 })).toBe(
      rows(
        "  Name  │ Age │ Known for",
        "  ──────┼─────┼─────────────────────",
        "  Alice │  30 │ asking `who am I?`",
        "        │     │ again",
        "  李雷  │   7 │",
        "",
        "  end",
      ),
    );
  });

  it("draws a table cell by cell when its columns have no room", () => {
    expect(
      draw("| a | b | c |\n|---|---|---|\n| 1 | 2 | 3 |\n| 4 | 5 | 6 |", { columns: 16 }),
    ).toBe(rows("  a: 1", "  b: 2", "  c: 3", "  ──────────────", "  a: 4", "  b: 5", "  c: 6"));
  });

  it("shows a link's address, HTML as text and hard breaks as new rows", () => {
    const source = "[bank](https://evil.example) <b>x</b>\\\nnext  \nlast<br><https://a.b>";
    expect(draw(source, { columns: 60 })).toBe(
      rows("  bank (https://evil.example) <b>x</b>", "  next", "  last", "  https://a.b"),
    );
  });

  it("wraps Chinese text with emoji at the width", () => {
    expect(draw("你好，**世界**。这是一个👨‍👩‍👧很长的句子🇩🇪。", { columns: 24 })).toBe(
      rows("  你好，**世界**。这是一", "  个👨‍👩‍👧很长的句子", "  🇩🇪。"),
    );
  });

  it("styles marked text, each row separately", () => {
    const style = (codes: string) => codes.replaceAll("<", "\x1b[").replaceAll(">", "m");
    const [first, second] = draw("**bold words that wrap** *em* `c`", {
      columns: 20,
      palette: colour,
    }).split("\n");
    expect(first).toBe(style("<2>  <22><1>bold words that<22>"));
    expect(second).toBe(style("<2>  <22><1>wrap<22> <3>em<23> <36>c<39>"));
  });

  it("gives a code block a colour, and its language another style", () => {
    const style = (codes: string) => codes.replaceAll("<", "\x1b[").replaceAll(">", "m");
    const drawn = draw("```ts\nconst a = 1;\n```", { palette: colour });
    expect(drawn).toContain(style("<2>ts<22>"));
    expect(drawn).toContain(style("<36>const a = 1;<39>"));
  });

  it("keeps the marks when there is no colour to show their meaning", () => {
    const source = "~~no~~ `yes` **very *much* so** __and__ _on_";
    expect(draw(source, { columns: 60 })).toBe(`  ${source}\n`);
    const painted = draw("~~no~~ `yes` **very *much* so**", { palette: colour });
    expect(painted.replace(STYLES, "")).toBe("  no yes very much so\n");
  });

  it.each([
    "100*100/400*56",
    "2**3 and 4**5",
    "src/*.js,test/*.js",
    "*.js,*.ts",
    "src/**/*.js,test/**/*.js",
    "count(*) and sum(*)",
    "f(*args, **kwargs)",
    "__init__ and __init__.py",
    "snake_case_name",
    "PATH=~/bin:~/go/bin",
    "~5 and ~6",
    "a & b &c; 1 < 2 > 0",
    "un*frigging*believable",
  ])("keeps every character of what a reader does not see as emphasis: %s", (text) => {
    for (const palette of [noColour, colour])
      expect(draw(`see ${text} here`, { columns: 60, palette }).replace(STYLES, "")).toBe(
        `  see ${text} here\n`,
      );
  });

  it.each([
    ["(*so*), *so*: “*so*”", "(so), so: “so”"],
    ["**and**/**or** Note:**Bob** **-5**", "and/or Note:Bob -5"],
    ["这是**粗体**文字，*重点*。", "这是粗体文字，重点。"],
    ["**Note:** *a b* _c_ __d e__", "Note: a b c d e"],
  ])("reads emphasis around words: %s", (text, shown) => {
    expect(draw(text, { columns: 60, palette: colour }).replace(STYLES, "")).toBe(`  ${shown}\n`);
  });

  it("decodes entities, but not in code", () => {
    const source = "AT&amp;T &lt;b&gt; &copy; &#42;x&#42; `&amp;` [a&amp;b](http://u.v/?x&amp;y)";
    expect(draw(source, { columns: 80 })).toBe(
      rows("  AT&T <b> © *x* `&amp;` a&b (http://u.v/?x&y)"),
    );
  });

  it("never sends a control character that was written as an entity", () => {
    const entities = "&#27;&#x1b;&#x9b;&#x202e;&#13;&NewLine;&#0;";
    for (const text of [entities, `![${entities}](u)`, `[a](u${entities} "${entities}")`])
      expect(draw(`x ${text} y`).match(/(?!\n)\p{Cc}|\u202e/u)).toBeNull();
  });

  it("shows a link's title", () => {
    expect(draw('[a](http://b.c "what it is")', { columns: 60 })).toBe(
      rows('  a (http://b.c "what it is")'),
    );
  });

  it("never changes text without links or escapes when there is no colour", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ab1*_~`.,/:(){}'"$%^=+?-]{1,60}$/), (text) => {
        const bare = (shown: string) => shown.replace(/\s/g, "");
        expect(bare(draw(`see ${text} here`))).toBe(bare(`see ${text} here`));
      }),
      { numRuns: 500 },
    );
  });

  it("keeps every letter and digit in order, with and without colour", () => {
    const words = (text: string) => text.replace(/[^\p{L}\p{N}]/gu, "");
    fc.assert(
      fc.property(anyMarkdown, (text) => {
        fc.pre(!/[|&]|www|<br|@/.test(text));
        for (const palette of [noColour, colour])
          expect(words(draw(text, { palette }).replace(STYLES, ""))).toBe(words(text));
      }),
      { numRuns: 300 },
    );
  });
});

describe("a reply that is still arriving", () => {
  const renderer = (columns = 40) =>
    createMarkdownRenderer({ width: () => columns, palette: noColour, indent: "  " });

  it("shows a paragraph row by row, before its line ends", () => {
    const reply = renderer();
    const text =
      "This is one long line that a model writes word by word without any line feed at all";
    const shown = text
      .split(/(?<= )/)
      .map((word) => reply.write(word))
      .join("");
    expect(shown).toBe(
      rows("  This is one long line that a model", "  writes word by word without any line"),
    );
    expect(reply.end()).toBe("  feed at all\n");
  });

  it("shows a line of code when it ends, a list item when the next begins", () => {
    const reply = renderer();
    expect(reply.write("```ts\n")).toBe("");
    expect(reply.write("let a = 1;\n")).toBe(rows("  ╭ ts", "  │ let a = 1;"));
    expect(reply.write("```\n- a\n- ")).toBe(rows("  ╰"));
    expect(reply.write("b")).toBe(rows("  • a"));
    expect(reply.write("\n\nc")).toBe(rows("  • b"));
  });

  it("holds text after an open mark back, but only up to a limit", () => {
    const reply = renderer();
    const words = "word ".repeat(40);
    expect(reply.write(`and this **${words}`)).toBe("");
    expect(reply.write(words.repeat(3))).toContain("**word");
  });

  it("reads the width again for every row", () => {
    let columns = 40;
    const reply = createMarkdownRenderer({ width: () => columns, palette: noColour, indent: "  " });
    const before = reply.write("word ".repeat(20));
    columns = 20;
    const after = reply.write("word ".repeat(20)) + reply.end();
    const widths = (text: string) => text.split("\n").map((row) => row.length);
    expect(Math.max(...widths(before))).toBe(36);
    expect(Math.max(...widths(after).slice(1))).toBe(16);
  });

  it("comes out the same however it is cut", () => {
    fc.assert(
      fc.property(anyMarkdown, fc.array(fc.nat(400), { maxLength: 12 }), (text, cuts) => {
        const whole = draw(text);
        const edges = [0, ...cuts.map((cut) => Math.min(cut, text.length)), text.length];
        edges.sort((a, b) => a - b);
        expect(draw(edges.slice(1).map((edge, index) => text.slice(edges[index], edge)))).toBe(
          whole,
        );
        expect(draw(text.split(""))).toBe(whole);
      }),
      { numRuns: 300 },
    );
  });

  it("never exceeds the width, loses a word, or sends more than text and styles", () => {
    // An entity is shown as written in code, perhaps over two rows, and as its character elsewhere.
    const words = (text: string) =>
      text
        .replace(/[^\p{L}&;]/gu, "")
        .replaceAll("&amp;", "")
        .replace(/[&;]/g, "");
    fc.assert(
      fc.property(anyMarkdown, fc.integer({ min: 12, max: 90 }), (text, columns) => {
        const plain = draw(text, { columns });
        for (const row of plain.split("\n")) expect(textWidth(row)).toBeLessThanOrEqual(columns);
        const painted = draw(text, { columns, palette: colour });
        const bare = painted.replace(STYLES, "");
        expect(bare).not.toMatch(/(?!\n)\p{Cc}/u);
        for (const row of plain.split("\n")) expect(row === "" || row.startsWith("  ")).toBe(true);
        expect(sorted(words(plain))).toBe(sorted(words(text)));
      }),
      { numRuns: 300 },
    );
  });

  it("draws a long paragraph without blanks as it arrives", () => {
    const chunks = Array.from({ length: 25_000 }, () => "漢字漢字");
    expect(draw(chunks).replace(/\s/g, "")).toBe(chunks.join(""));
  });

  it("draws a long line of code without blanks", () => {
    const line = "漢".repeat(100_000);
    expect(draw(`\`\`\`\n${line}\n\`\`\``).replace(/[^漢]/g, "")).toBe(line);
  });

  it.each([
    ["of code", (text: string) => `\`\`\`\n${text}\n\`\`\``],
    ["of a paragraph", (text: string) => text],
    ["of a list", (text: string) => `- ${text}`],
    ["of a table", (text: string) => `| a | b |\n|---|---|\n| ${text} | x |`],
  ])("never leaves a row %s for the terminal to wrap", (_, source) => {
    for (const filling of [`क${"\u093e".repeat(77)}`, "\u3164".repeat(39), "x\u00ad".repeat(39)])
      for (const row of draw(source(`${filling}bob> hi`)).split("\n"))
        expect(textWidth(row)).toBeLessThanOrEqual(40);
  });

  it("draws a heading of 200 kB as written, with its marks", () => {
    const heading = "__a__ ".repeat(33_000).trim();
    const begun = cpuTime();
    expect(draw(`# ${heading}\n`).replace(/\s/g, "")).toBe(`#${heading.replace(/\s/g, "")}`);
    // Parsing the marks takes a minute, and every paint would parse them again.
    expect(cpuTime() - begun).toBeLessThan(10_000);
  });

  it("draws a table that would take too long as written", () => {
    const line = (cell: string, columns: number) => `|${`${cell}|`.repeat(columns)}\n`;
    const wide = line("a", 1000) + line("-", 1000) + "b|\n".repeat(130);
    const many = line("a", 60) + line("-", 60) + "b|\n".repeat(5000);
    const long = line("a", 2) + line("-", 2) + line("b", 2).repeat(20_000);
    for (const source of [wide, many, long]) {
      const begun = cpuTime();
      const drawn = draw(source);
      expect(cpuTime() - begun).toBeLessThan(5000);
      expect(drawn.length).toBeLessThan(source.length * 8);
      for (const letter of ["a", "b"])
        expect(drawn.split(letter)).toHaveLength(source.split(letter).length);
    }
  });

  it("keeps the cells for which there is no column", () => {
    expect(draw("| a | b |\n|---|---|\n| 1 | 2 | 3 | 4 |")).toContain("1 │ 2 | 3 | 4");
  });

  it("takes time in proportion to the text", () => {
    const time = (text: string) => {
      const begun = cpuTime();
      draw(text);
      return cpuTime() - begun;
    };
    for (const unit of ["word ", "**a ", "`", "[", "> ", "- a\n", "|", "\\\n", "  ", "a*b "]) {
      const short = time(unit.repeat(500));
      const limit = Math.max(short, 20) * 40;
      expect(time(unit.repeat(5000)), JSON.stringify(unit)).toBeLessThan(limit);
    }
  });
});

function sorted(text: string): string {
  return [...text].sort().join("");
}
