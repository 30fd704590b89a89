import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { ToolCallCollector } from "../../src/models/openai/collect-tool-calls.js";
import { chunk, ModelServer, streamed } from "../support/model-server.js";
import { ask, open } from "./openai-support.js";

let server: ModelServer;
afterEach(() => server?.close());

interface Piece {
  readonly index?: number | null;
  readonly id?: string;
  readonly name?: string;
  readonly args?: unknown;
}

const wire = ({ index, id, name, args }: Piece) => ({
  ...(index !== undefined && { index }),
  ...(id !== undefined && { id }),
  function: { ...(name !== undefined && { name }), ...(args !== undefined && { arguments: args }) },
});

const collected = (pieces: readonly Piece[]) => {
  const collector = new ToolCallCollector();
  for (const piece of pieces) collector.add(wire(piece));
  return collector.calls([]).map(({ id, name, arguments: args }) => [id, name, args]);
};

const newId = expect.stringMatching(/^[0-9a-f]{9}$/);
const X1 = '{"x":1}';

/** The pieces that a server sends, and the calls they form. */
const CASES: Record<string, [pieces: Piece[], calls: unknown[][]]> = {
  "a placeholder before the real arguments": [
    [
      { index: 0, id: "c", name: "a", args: "{}" },
      { index: 0, args: '{"x"' },
      { index: 0, args: ":1}" },
    ],
    [["c", "a", X1]],
  ],
  "a placeholder, and the real arguments whole": [
    [
      { index: 0, id: "c", name: "a", args: "{}" },
      { index: 0, id: "c", name: "a", args: X1 },
    ],
    [["c", "a", X1]],
  ],
  "the whole arguments again after their pieces": [
    [
      { index: 0, id: "c", name: "a", args: '{"x"' },
      { index: 0, args: ":1}" },
      { index: 0, id: "c", name: "a", args: '{ "x": 1 }' },
    ],
    [["c", "a", X1]],
  ],
  "the arguments again in pieces": [
    [
      { index: 0, id: "c", name: "a", args: X1 },
      { index: 0, args: '{"x"' },
      { index: 0, args: ":1}" },
    ],
    [["c", "a", X1]],
  ],
  "one id at two indexes": [
    [
      { index: 0, id: "c", name: "a", args: X1 },
      { index: 1, id: "c", name: "a", args: X1 },
    ],
    [["c", "a", X1]],
  ],
  "the name at one index, the arguments at another": [
    [
      { index: 0, id: "c", name: "a", args: "" },
      { index: 1, id: "c", args: '{"x"' },
      { index: 1, args: ":1}" },
    ],
    [["c", "a", X1]],
  ],
  "an empty last piece": [
    [
      { index: 0, id: "c", name: "a", args: X1 },
      { index: 1, id: "", name: "", args: "" },
    ],
    [["c", "a", X1]],
  ],
  "an empty last piece with an id and a placeholder": [
    [
      { index: 0, id: "c", name: "a", args: X1 },
      { index: 1, id: "d", name: "", args: "{}" },
    ],
    [["c", "a", X1]],
  ],
  "an index on the later pieces alone": [
    [
      { id: "c", name: "a", args: '{"x"' },
      { index: 0, args: ":1" },
      { index: 0, args: "}" },
    ],
    [["c", "a", X1]],
  ],
  "an index on the first piece alone": [
    [
      { index: 0, id: "c", name: "a", args: "" },
      { index: null, args: '{"x"' },
      { id: "c", args: ":1}" },
    ],
    [["c", "a", X1]],
  ],
  "a new id with every piece": [
    [
      { id: "c", name: "a", args: '{"x"' },
      { id: "d", args: ":1" },
      { id: "e", args: "}" },
    ],
    [["c", "a", X1]],
  ],
  "a repetition without its id": [
    [
      { index: 0, id: "c", name: "a", args: X1 },
      { index: 0, name: "a", args: X1 },
    ],
    [["c", "a", X1]],
  ],
  "a call without arguments, twice": [
    [
      { index: 0, id: "c", name: "a", args: "{}" },
      { index: 0, id: "c", name: "a", args: "{}" },
    ],
    [["c", "a", "{}"]],
  ],
  "one id for two calls that differ": [
    [
      { index: 0, id: "c", name: "a", args: X1 },
      { index: 1, id: "c", name: "a", args: '{"x":2}' },
      { index: 2, id: "c", name: "b", args: X1 },
    ],
    [
      ["c", "a", X1],
      [newId, "a", '{"x":2}'],
      [newId, "b", X1],
    ],
  ],
  "two calls alike with ids of their own": [
    [
      { index: 0, id: "c", name: "a", args: X1 },
      { index: 1, id: "d", name: "a", args: X1 },
    ],
    [
      ["c", "a", X1],
      ["d", "a", X1],
    ],
  ],
};

describe("one call is reported once, whatever its pieces look like", () => {
  for (const [what, [pieces, calls]] of Object.entries(CASES))
    it(what, () => expect(collected(pieces)).toEqual(calls));

  it("in a real stream", async () => {
    const deltas = CASES["one id at two indexes"]?.[0].map((piece) =>
      chunk({ tool_calls: [wire(piece)] }),
    );
    server = await ModelServer.start(streamed(...(deltas ?? []), chunk({}, "tool_calls")));
    const events = await ask(open(server.url));
    expect(events.map(({ type }) => type)).toEqual(["tool-call", "finish"]);
  });

  it("without a call for an empty piece after text", async () => {
    const emptyPiece = chunk({ tool_calls: [wire({ index: 0, args: "" })] });
    server = await ModelServer.start(
      streamed(chunk({ content: "Hi" }), emptyPiece, chunk({}, "stop")),
    );
    expect((await ask(open(server.url))).at(-1)).toMatchObject({ type: "finish", reason: "stop" });
  });
});

describe("calls that are split anywhere and repeated in any way", () => {
  const json = fc.dictionary(
    fc.oneof(fc.string({ maxLength: 4 }), fc.constantFrom("{", "}", "{}", '"')),
    fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom("}{", "{}", '{"x":1}', "function(){}{"),
    ),
    { maxKeys: 3 },
  );
  const call = fc.record({ name: fc.constantFrom("a", "b", "c_d"), args: json });
  const oddities = fc.record({
    cuts: fc.array(fc.nat({ max: 60 }), { maxLength: 4 }),
    placeholder: fc.boolean(),
    repeatsWhole: fc.constantFrom("no", "here", "at another index"),
    repeatsId: fc.boolean(),
    repeatsName: fc.boolean(),
    asObject: fc.boolean(),
    emptyPiece: fc.boolean(),
  });
  type Oddities = typeof oddities extends fc.Arbitrary<infer T> ? T : never;

  function piecesOf(
    { id, name, args }: { id: string; name: string; args: string },
    index: number | undefined,
    odd: Oddities,
  ): Piece[] {
    const at = index === undefined ? {} : { index };
    const later = { ...at, ...(odd.repeatsId && { id }), ...(odd.repeatsName && { name }) };
    const starts = [0, ...odd.cuts.filter((cut) => cut < args.length).sort((a, b) => a - b)];
    const texts = starts.map((start, at) => args.slice(start, starts[at + 1]));
    const elsewhere = index === undefined ? {} : { index: index + 50 };
    return [
      { ...at, id, name, args: odd.placeholder ? "{}" : "" },
      ...(odd.asObject ? [JSON.parse(args)] : texts).map((text) => ({ ...later, args: text })),
      ...(odd.repeatsWhole === "here" ? [{ ...later, args }] : []),
      ...(odd.repeatsWhole === "at another index" ? [{ ...elsewhere, id, name, args }] : []),
    ];
  }

  for (const [how, indexOf] of [
    ["with their indexes", (index: number) => index],
    ["all at the index 0", () => 0],
    ["without an index", () => undefined],
  ] as const)
    it(`come out unchanged ${how}`, () => {
      const one = fc.tuple(call, oddities);
      fc.assert(
        fc.property(fc.array(one, { minLength: 1, maxLength: 4 }), (given) => {
          const calls = given.map(([{ name, args }], index) => ({
            id: `call${index}`,
            name,
            args: JSON.stringify(args),
          }));
          const pieces = given.flatMap(([, odd], index) => {
            const own = calls[index];
            if (own === undefined) return [];
            const emptyPiece = odd.emptyPiece ? [{ index: 90 + index, args: "" }] : [];
            return [...piecesOf(own, indexOf(index), odd), ...emptyPiece];
          });
          expect(collected(pieces)).toEqual(calls.map(({ id, name, args }) => [id, name, args]));
        }),
        { numRuns: 300 },
      );
    });

  it("come out unchanged when their pieces are interleaved", () => {
    fc.assert(
      fc.property(call, call, oddities, oddities, (first, second, oneOdd, otherOdd) => {
        const calls = [first, second].map(({ name, args }, index) => ({
          id: `call${index}`,
          name,
          args: JSON.stringify(args),
        }));
        const [one = [], other = []] = calls.map((own, index) =>
          piecesOf(own, index, index === 0 ? oneOdd : otherOdd),
        );
        const turns = Array.from({ length: Math.max(one.length, other.length) }, (_, turn) =>
          [one[turn], other[turn]].filter((piece) => piece !== undefined),
        ).flat();
        expect(collected(turns)).toEqual(calls.map(({ id, name, args }) => [id, name, args]));
      }),
      { numRuns: 300 },
    );
  });
});
