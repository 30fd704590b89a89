import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSanitiser, sanitise, singleLine } from "../src/sanitise.js";
import { cpuTime } from "./support/cpu-time.js";

const ESC = "\x1b";

/** A hostile text, and what may be left of it. */
const PROBES: ReadonlyArray<readonly [name: string, text: string, safe: string]> = [
  ["clipboard (OSC 52) ended by BEL", `a${ESC}]52;c;aGk=\x07b`, "ab"],
  ["clipboard (OSC 52) ended by ST", `a${ESC}]52;c;aGk=${ESC}\\b`, "ab"],
  ["clipboard (OSC 52) ended by C1 ST", `a${ESC}]52;c;aGk=\x9cb`, "ab"],
  ["clipboard (OSC 52) unterminated", `a${ESC}]52;c;aGk=`, "a"],
  ["clipboard (OSC 52) ended by its line", `a${ESC}]52;c;aGk=\nb`, "a\nb"],
  ["clipboard (OSC 52) by C1", "a\x9d52;c;aGk=\x07b", "ab"],
  ["clipboard (OSC 52) by C1, unterminated", "a\x9d52;c;aGk=", "a"],
  ["hyperlink (OSC 8)", `${ESC}]8;;http://evil.example${ESC}\\bank${ESC}]8;;${ESC}\\`, "bank"],
  ["window title (OSC 0)", `a${ESC}]0;root@host\x07b`, "ab"],
  ["window title (OSC 2) with blanks and accents", `a${ESC}]2;my töp title 世界\x07b`, "ab"],
  ["window title of screen and tmux", `a${ESC}kroot@host${ESC}\\b`, "ab"],
  ["palette (OSC 4)", `a${ESC}]4;1;rgb:00/00/00\x07b`, "ab"],
  ["inline image (OSC 1337)", `a${ESC}]1337;File=inline=1:AAAA\x07b`, "ab"],
  ["notification (OSC 777)", `a${ESC}]777;notify;t;b\x07b`, "ab"],
  ["bold red", `a${ESC}[1;31mb${ESC}[0m`, "ab"],
  ["concealed text", `a${ESC}[8mb`, "ab"],
  ["clear the screen", `a${ESC}[2J${ESC}[Hb`, "ab"],
  ["erase the line above", `a${ESC}[1A${ESC}[2Kb`, "ab"],
  ["alternate screen", `a${ESC}[?1049hb`, "ab"],
  ["bracketed paste off", `a${ESC}[?2004lb`, "ab"],
  ["colon parameters", `a${ESC}[38:2::1:2:3mb`, "ab"],
  ["report of the cursor's place", `a${ESC}[6nb`, "ab"],
  ["report of the terminal's name", `a${ESC}[cb`, "ab"],
  ["soft reset (CSI ! p)", `a${ESC}[!pb`, "ab"],
  ["cursor shape (CSI SP q)", `a${ESC}[2 qb`, "ab"],
  ["CSI by C1", "a\x9b31mb", "ab"],
  ["CSI unterminated", `a${ESC}[31`, "a"],
  ["CSI broken by its line", `a${ESC}[31\nb`, "a\nb"],
  ["CSI broken by a letter of another script", `a${ESC}[31шb`, "aшb"],
  ["CSI with a control inside", `a${ESC}[3\x0b1mb`, "ab"],
  ["CSI inside a CSI", `a${ESC}[3${ESC}[31m 1mb`, "a 1mb"],
  ["CSI cancelled (CAN)", `a${ESC}[31\x18mb`, "amb"],
  ["full reset (ESC c)", `a${ESC}cb`, "ab"],
  ["character set (ESC % G)", `a${ESC}%Gb`, "ab"],
  ["line drawing (ESC ( 0)", `a${ESC}(0b`, "ab"],
  ["device control (DCS)", `a${ESC}P$q"p${ESC}\\b`, "ab"],
  ["device control by C1, unterminated", "a\x90$q", "a"],
  ["sequence handed through tmux", `a${ESC}Ptmux;${ESC}${ESC}]52;c;aGk=\x07${ESC}\\b`, "ab"],
  ["kitty graphics (APC)", `a${ESC}_Gf=100;AAAA${ESC}\\b`, "ab"],
  ["privacy message (PM)", `a${ESC}^secret${ESC}\\b`, "ab"],
  ["start of string (SOS)", `a${ESC}Xsecret${ESC}\\b`, "ab"],
  ["ESC at the end", `a${ESC}`, "a"],
  ["carriage return that overwrites a prompt", "a\rb\r\nc", "ab\nc"],
  ["backspace, BEL, NUL and DEL", "a\b\x07\x00\x7fb", "ab"],
  ["shift out and in, vertical tab, form feed", "a\x0e\x0f\v\fb", "ab"],
  ["bare C1 (IND, NEL, HTS, RI)", "a\x84\x85\x88\x8db", "ab"],
  ["bidi overrides and isolates", "a\u202eb\u202c\u2066c\u2069\u061cd", "abcd"],
  ["line and paragraph separators, tag characters", "a\u2028b\u2029c\u{e0041}\u{e007f}", "abc"],
];

/** All characters that must be removed; independent of the code under test. */
const CONTROLS =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u;

function inChunks(chunks: readonly string[]): string {
  const sanitiser = createSanitiser();
  return chunks.map((chunk) => sanitiser.write(chunk)).join("") + sanitiser.end();
}

/** Text made of the parts of control sequences, in any order. */
const wildText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ESC,
        "[",
        "]",
        "\\",
        "\x9b",
        "\x9c",
        "\x9d",
        "\x90",
        "P",
        "_",
        "k",
        ";",
        "0",
        " ",
        "m",
        "\x07",
        "\n",
        "\r",
        "\t",
        "\x18",
        "%",
        "\ud83d",
        "\ude00",
        "\u202e",
        "\u200f",
        "é",
        "世",
      ),
      fc.string({ unit: "binary", maxLength: 4 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(""));

describe("sanitise", () => {
  it.each(PROBES)("removes %s", (_, text, safe) => {
    expect(sanitise(text)).toBe(safe);
    for (let cut = 0; cut <= text.length; cut += 1) {
      expect(inChunks([text.slice(0, cut), text.slice(cut)])).toBe(safe);
    }
    expect(inChunks(text.split(""))).toBe(safe);
  });

  it("has 48 probes of different kinds", () => {
    expect(new Set(PROBES.map(([name]) => name)).size).toBe(48);
  });

  it("keeps tabs, line feeds, every script, emoji and right-to-left marks", () => {
    const text = "a\tb\n世界 naïve 👩‍👩‍👧 🇩🇪 e\u0301 \u200eabc\u200f שלום\u00a0[31m";
    expect(sanitise(text)).toBe(text);
    expect(inChunks(text.split(""))).toBe(text);
  });

  it("replaces a lone surrogate with U+FFFD and keeps a pair, even between two chunks", () => {
    expect(sanitise("a\ud83d b\ude00")).toBe("a\ufffd b\ufffd");
    expect(inChunks(["a\ud83d", "\ude00b"])).toBe("a😀b");
    expect(inChunks(["a\ud83d", "", "b"])).toBe("a\ufffdb");
  });

  it("keeps text that follows an endless sequence", () => {
    const swallowed = sanitise(`a${ESC}]0;${"x".repeat(10_000)}end`);
    expect(swallowed.endsWith("end")).toBe(true);
    expect(swallowed.length).toBe("a]0;end".length + 10_000 - 4096);
    expect(sanitise(`${ESC}[${"1".repeat(10_000)}end`).endsWith("end")).toBe(true);
  });

  it("keeps no control character, in any chunks", () => {
    fc.assert(
      fc.property(wildText, fc.array(fc.nat(60), { maxLength: 8 }), (text, cuts) => {
        const edges = [0, ...cuts.map((cut) => Math.min(cut, text.length)), text.length];
        edges.sort((a, b) => a - b);
        const chunks = edges.slice(1).map((edge, index) => text.slice(edges[index], edge));
        const whole = sanitise(text);
        expect(inChunks(chunks)).toBe(whole);
        expect(whole).not.toMatch(CONTROLS);
        expect(whole.isWellFormed()).toBe(true);
        expect(sanitise(whole)).toBe(whole);
      }),
      { numRuns: 2000 },
    );
  });

  it("takes linear time", () => {
    const time = (text: string) => {
      const begun = cpuTime();
      sanitise(text);
      return cpuTime() - begun;
    };
    for (const unit of [`${ESC}]`, `${ESC}[`, "\x9d", "\ud83d", "a\x07", `${ESC}[1m`]) {
      time(unit.repeat(20_000));
      const short = time(unit.repeat(20_000));
      expect(time(unit.repeat(200_000))).toBeLessThan(Math.max(short, 5) * 60);
    }
  });
});

describe("singleLine", () => {
  it("folds every kind of line end and blank into one space", () => {
    expect(singleLine("  a\r\nb\rc\u2028d\t \n e\v ", 80)).toBe("a b c d e");
  });

  it("removes control sequences before it folds", () => {
    expect(singleLine(`bob${ESC}[2K\ralice> `, 80)).toBe("bob alice>");
  });

  it("cuts by code points, counting the ellipsis", () => {
    expect(singleLine("😀😀😀😀", 4)).toBe("😀😀😀😀");
    expect(singleLine("😀😀😀😀😀", 4)).toBe("😀😀😀…");
    expect(singleLine("abc", 1)).toBe("…");
  });
});
