import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { KeyDecoder } from "../../../src/cli/terminal/keys.js";
import { LARGEST_PASTE } from "../../../src/cli/terminal/paste-reader.js";

interface Recording {
  readonly seen: string[];
  readonly decoder: KeyDecoder;
}

/** A decoder and what it reports: text as it is, keys as `<name>`. */
function recording(): Recording {
  const seen: string[] = [];
  const decoder = new KeyDecoder({
    key: ({ name, text }) => seen.push(text === "" ? `<${name}>` : text),
    paste: (text, isCut) => seen.push(`paste ${isCut ? "cut " : ""}${JSON.stringify(text)}`),
    idle: () => {},
  });
  return { seen, decoder };
}

/** What the decoder reports when `bytes` arrive cut at these offsets. */
function decode(bytes: Buffer, cuts: readonly number[] = []): string[] {
  const { seen, decoder } = recording();
  const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  for (const [index, place] of places.slice(1).entries())
    decoder.write(bytes.subarray(places[index], place));
  return seen;
}

const SENT = Buffer.from(
  "né\x1bb\x1b\r\n\r\x1b[1;5D\x1b[200~é\r\x1b[A\x1b[20\x03\x1b[201~👩‍👧\x7f\x03",
);

test("distinguishes keys, Alt keys and pastes", () => {
  expect(decode(SENT)).toEqual([
    ...["n", "é", "<alt-b>", "<alt-return>", "<enter>", "<return>", "<ctrl-left>"],
    `paste ${JSON.stringify("é\r\x1b[A\x1b[20\x03")}`,
    ...["👩", "\u200d", "👧", "<backspace>", "<ctrl-c>"],
  ]);
});

test.each([
  ["\x1b[A\x1b[1;3D\x1bOD\x1bOd\x1b[3~\x1b[7~", "<up><alt-left><left><ctrl-left><delete><home>"],
  ["\x1b[13;2u\x1b[99;5u\x1b[98;3u\x1b[27u", "<enter><ctrl-c><alt-b><escape>"],
  ["\x1b\x1b[A\x1b\x7f\x1bB", "<up><alt-backspace><alt-b>"],
  ["\x1b\x03", "<escape><ctrl-c>"],
  ["\x08\t\x1f\x00", "<backspace><tab><ctrl-\x7f><ctrl-`>"],
])("knows the keys of many terminals: %j", (sent, keys) => {
  expect(decode(Buffer.from(sent)).join("")).toBe(keys);
});

test("reports the same wherever the input is cut", () => {
  const whole = decode(SENT);
  const cut = fc.nat(SENT.length);
  fc.assert(
    fc.property(fc.array(cut), (cuts) => {
      expect(decode(SENT, cuts)).toEqual(whole);
    }),
  );
});

describe("a terminal's reports are never typed", () => {
  test.each([
    ["its colours", "\x1b]11;rgb:1e1e/1e1e/1e1e\x07\x1b]10;rgb:ffff/ffff/ffff\x1b\\"],
    ["its attributes", "\x1b[?64;1;2;6;22c\x1b[>41;354;0c\x1bP!|00000000\x1b\\"],
    ["its version and capabilities", "\x1bP>|XTerm(354)\x1b\\\x1bP1+r544e=787465726d\x1b\\"],
    ["the cursor's position", "\x1b[24;80R\x1b[?24;80;1R"],
    ["the mouse", "\x1b[<0;12;3M\x1b[<0;12;3m\x1b[32;12;3M\x1b[M !\xa1"],
    ["its focus", "\x1b[I\x1b[O"],
    ["its modes", "\x1b[?2026;2$y\x1b[?1u\x1b[0n\x1b[8;24;80t"],
    ["key releases", "\x1b[97;1:3u\x1b[99;5:3u\x1b[1;1:3A"],
    ["the clipboard and pictures", "\x1b]52;c;aGVsbG8=\x07\x1b_Gi=31;OK\x1b\\"],
    ["function keys", "\x1bOP\x1b[15~\x1b[[A\x1b[Z\x1b[1;2P"],
  ])("%s", (_, reports) => {
    const sent = Buffer.from(`a${reports}b`, "latin1");
    for (let cut = 0; cut <= sent.length; cut++) expect(decode(sent, [cut])).toEqual(["a", "b"]);
  });

  /** Bytes from `from` to `to`, as text with one character each. */
  const bytes = (from: number, to: number, maxLength: number) =>
    fc
      .array(fc.integer({ min: from, max: to }), { maxLength })
      .map((codes) => String.fromCharCode(...codes));
  const csi = fc
    .tuple(bytes(0x30, 0x3f, 50), bytes(0x20, 0x2f, 3), bytes(0x40, 0x7e, 1), bytes(0x20, 0xff, 3))
    .map(([parameters, intermediates, final, mouse]) => {
      const rest = `${parameters}${intermediates}${final || "c"}`;
      if (rest === "M") return `\x1b[M${mouse.padEnd(3, "!")}`;
      return rest === "[" ? "\x1b[[A" : `\x1b[${rest}`;
    })
    .filter((sequence) => !sequence.endsWith("200~"));
  const osc = fc
    .tuple(bytes(0x20, 0xff, 80), fc.constantFrom("\x07", "\x1b\\"))
    .map(([content, end]) => `\x1b]${content}${end}`);
  const string = fc
    .tuple(fc.constantFrom("P", "X", "^", "_"), bytes(0x20, 0xff, 80))
    .map(([start, content]) => `\x1b${start}${content}\x1b\\`);

  test("whatever the sequence, and wherever it is cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(csi, osc, string), { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(400)),
        (sequences, cuts) => {
          const sent = Buffer.from(sequences.join(""), "latin1");
          const places = cuts.filter((place) => place < sent.length);
          // Some sequences are keys, so names of keys are fine. Text is not.
          const seen = decode(sent, places).filter((key) => !/^<.*>$/s.test(key));
          expect(seen).toEqual([]);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("no report opens the editor, sends or stops anything", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(osc, string)), fc.array(fc.nat(400)), (sequences, cuts) => {
        const sent = Buffer.from(sequences.join(""), "latin1");
        expect(
          decode(
            sent,
            cuts.filter((place) => place < sent.length),
          ),
        ).toEqual([]);
      }),
    );
  });
});

describe("over time", () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
  afterEach(() => vi.useRealTimers());

  const feed = ({ decoder }: Recording, ...steps: readonly (string | number)[]): void => {
    for (const step of steps) {
      if (typeof step === "number") vi.advanceTimersByTime(step);
      else decoder.write(Buffer.from(step));
    }
  };

  test("a report that arrives slowly in pieces is dropped whole", () => {
    const recorded = recording();
    feed(recorded, "\x1b]11;rgb:", 900, "1e1e/", 900, "1e1e/1e1e\x07", "\x1b[24", 900, ";80R", "b");
    expect(recorded.seen).toEqual(["b"]);
  });

  test.each([
    ["a silence", 1000, []],
    ["Ctrl-C", "\x03", ["<ctrl-c>"]],
  ])("a report that never ends is ended by %s", (_, end, keys) => {
    const recorded = recording();
    feed(recorded, "\x1b]11;rgb:and", "\rso on", end, "b\r");
    expect(recorded.seen).toEqual([...keys, "b", "<return>"]);
  });

  test("a lone ESC becomes the Escape key after a moment", () => {
    const recorded = recording();
    feed(recorded, "\x1b", 60, "b");
    expect(recorded.seen).toEqual(["<escape>", "b"]);
  });

  test("a slow paste stays one paste, whatever it contains", () => {
    const recorded = recording();
    feed(recorded, "\x1b[200~one\r", 2900, "\x03\rtwo\r", 2900, "/exit\r", 2900, "\x1b[201~", "x");
    expect(recorded.seen).toEqual([`paste ${JSON.stringify("one\r\x03\rtwo\r/exit\r")}`, "x"]);
  });

  test("a paste that never ends is ended by Ctrl-C, and a second Ctrl-C is a key again", () => {
    const recorded = recording();
    feed(recorded, "\x1b[200~one\rtwo", 200, "a", 200, "\x03", 200, "\x03", 200, "b", "\r");
    expect(recorded.seen).toEqual([
      `paste ${JSON.stringify("one\rtwoa")}`,
      "<ctrl-c>",
      "b",
      "<return>",
    ]);
  });

  test("a paste that never ends is reported after a while, and keys are keys again", () => {
    const recorded = recording();
    feed(recorded, "\x1b[200~one\rtwo\x1b[20", 3000, "\x1b[A", 500, "\r");
    expect(recorded.seen).toEqual([`paste ${JSON.stringify("one\rtwo")}`, "<up>", "<return>"]);
  });

  test("the rest of a paste that arrives after its time limit is not read as keys", () => {
    const recorded = recording();
    feed(recorded, "\x1b[200~one\r", 5000, "two\r/exit\r", 10, "y\r\x1b[201~", "\r");
    expect(recorded.seen).toEqual([
      `paste ${JSON.stringify("one\r")}`,
      `paste ${JSON.stringify("two\r/exit\ry\r")}`,
      "<return>",
    ]);
  });

  test("a paste is cut at 8 MiB and reported as cut", () => {
    const recorded = recording();
    const piece = "x".repeat(1024 * 1024);
    feed(recorded, "\x1b[200~", ...Array.from({ length: 9 }, () => piece), "\x1b[201~b");
    expect(recorded.seen.map((text) => text.length)).toEqual([
      LARGEST_PASTE + "paste cut ".length + 2,
      1,
    ]);
    expect(recorded.seen[0]?.startsWith("paste cut")).toBe(true);
  });
});
