import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { Agent, InMemory } from "../../src/index.js";
import { createThinkFilter } from "../../src/models/openai/think-filter.js";
import { stripUnopenedThoughts } from "../../src/models/think-tags.js";
import { cpuTime } from "../support/cpu-time.js";
import { chunk, ModelServer, type Reply, streamed, streamedText } from "../support/model-server.js";
import { ask, open, textOf } from "./openai-support.js";

let server: ModelServer;
afterEach(() => server?.close());

const SPELLINGS = [
  ["<think>", "</think>"],
  ["<thinking>", "</thinking>"],
  ["<thought>", "</thought>"],
  ["<reasoning>", "</reasoning>"],
  ["<Think>", "</THINK>"],
  ["< think >", "</ think\n>"],
  ["[THINK]", "[/THINK]"],
  ["◁think▷", "◁/think▷"],
  ["<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"],
  ["<|start|>assistant<|channel|>analysis<|message|>", "<|channel|>final<|message|>"],
] as const;

/** A text, whole and in pieces. */
const cutText = (text: fc.Arbitrary<string>) =>
  fc.tuple(text, fc.array(fc.nat({ max: 90 }), { maxLength: 6 })).map(([whole, places]) => {
    const cuts = [0, ...places.filter((place) => place < whole.length).sort((a, b) => a - b)];
    return { whole, pieces: cuts.map((start, index) => whole.slice(start, cuts[index + 1])) };
  });

const filtered = (pieces: readonly string[]): string => {
  const filter = createThinkFilter();
  return pieces.map((piece) => filter.write(piece)).join("") + filter.end();
};

describe("thoughts are kept out of an answer, however it is cut", () => {
  for (const [opening, closing] of SPELLINGS)
    it(`at the beginning: ${JSON.stringify(opening)}`, () => {
      const thought = fc
        .tuple(fc.string(), fc.string())
        .chain(([inside, rest]) =>
          cutText(
            fc
              .constantFrom("", "\n ")
              .map((lead) => `${lead}${opening}${inside}.${closing}\n\nA${rest}`),
          ).map(({ pieces }) => ({ pieces, after: `A${rest}` })),
        );
      fc.assert(
        fc.property(thought, ({ pieces, after }) => {
          expect(filtered(pieces)).toBe(after);
        }),
      );
    });

  it("without losing other text", () => {
    const anyText = fc
      .array(
        fc.constantFrom(
          "<think>",
          "</think>",
          "<thi",
          "nk>",
          "[TH",
          "INK]",
          " ",
          "\n",
          "x",
          "<",
          "<|",
        ),
      )
      .map((parts) => parts.join(""))
      .filter((text) => !/^(<think>|\[think\])/i.test(text.replace(/\s/g, "")));
    fc.assert(
      fc.property(cutText(anyText), ({ whole, pieces }) => {
        expect(filtered(pieces)).toBe(whole);
      }),
    );
  });

  it("even when they never end", () => {
    expect(filtered(["<think>for", " ever"])).toBe("");
  });
});

describe("thoughts without an opening tag", () => {
  for (const [, closing] of SPELLINGS)
    for (const [how, text] of [
      ["on a line of its own", `I should say four.\n${closing}\n\nFour.`],
      ["at the end of a line", `I should say four.${closing}\n\nFour.`],
      ["behind a space", `I should say four. ${closing}\nFour.`],
      ["between words", `I should say four.${closing}Four.`],
      ["without thoughts", `${closing}\n\nFour.`],
    ] as const)
      it(`are found ${how}: ${JSON.stringify(closing)}`, () => {
        expect(stripUnopenedThoughts(text, false)).toBe("Four.");
      });

  const MENTIONS = [
    "Close it with </think> and go on.",
    "Close it with </think>.",
    "Close it with `</think>`\n\nThen go on.",
    'It is called "</think>", as in HTML.',
    "It is (</think>) or [/THINK], as you like.",
    "Write this:\n\n```html\nthoughts\n</think>\nanswer\n```\n\nDone.",
    "Write this:\n\n~~~\n</think>\n~~~\nDone.",
    "Models write <think>thoughts</think>answers.",
    "They write:\n<think>\nthoughts\n</think>\nand then the answer.",
    "| tag | use |\n|---|---|\n|</think>| ends thoughts |",
    "It ends with </think>\nand that is that.",
    "</think>",
    "The tag is:\n</think>",
    "A text without any tag.",
    "The <code></think></code> element.",
  ];
  for (const text of MENTIONS)
    it(`are not assumed where an answer only mentions the tag: ${JSON.stringify(text)}`, () => {
      expect(stripUnopenedThoughts(text, false)).toBe(text);
    });

  it("are found in linear time", () => {
    const text = "`</think>` ".repeat(200_000);
    const begun = cpuTime();
    expect(stripUnopenedThoughts(text, false)).toBe(text);
    expect(cpuTime() - begun).toBeLessThan(1000);
  });
});

describe("a server that streams thoughts as an answer", () => {
  const deltas = (...texts: string[]): Reply =>
    streamed(...texts.map((content) => chunk({ content })), chunk({}, "stop"));
  const thoughtful = deltas("She wants", " a sum.</th", "ink>\n", "\nFour.");

  it("is corrected at the finish", async () => {
    server = await ModelServer.start(thoughtful);
    const events = await ask(open(server.url));
    expect(textOf(events)).toBe("She wants a sum.</think>\n\nFour.");
    expect(events.at(-1)).toMatchObject({ type: "finish", text: "Four." });
  });

  it("is not corrected without thoughts", async () => {
    server = await ModelServer.start(streamedText("Use the </think> tag."));
    expect((await ask(open(server.url))).at(-1)).not.toHaveProperty("text");
  });

  it("returns, stores and sends back no thoughts", async () => {
    server = await ModelServer.start([thoughtful, streamedText("Five.")]);
    const memory = new InMemory();
    const agent = new Agent({ model: open(server.url), memory });
    const output = await agent.run("2 + 2?", { userId: "alice" });
    expect(output.content).toBe("Four.");
    await agent.run("2 + 3?", { userId: "alice" });
    const stored = await memory.getMessages("alice");
    expect(stored.map(({ content }) => content)).toEqual(["2 + 2?", "Four.", "2 + 3?", "Five."]);
    expect(JSON.stringify(server.requests[1]?.body)).not.toContain("She wants");
  });

  it("returns no thoughts with a tool call", async () => {
    const call = { index: 0, id: "c", function: { name: "now", arguments: "{}" } };
    server = await ModelServer.start(
      streamed(
        chunk({ content: "I need the time.\n</think>\n\n" }),
        chunk({ tool_calls: [call] }),
        chunk({}, "tool_calls"),
      ),
    );
    expect((await ask(open(server.url))).at(-1)).toMatchObject({ reason: "tool-calls", text: "" });
  });
});
