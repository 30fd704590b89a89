import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { progressLine } from "../../../src/cli/render/progress-line.js";

function shownOn(terminal: { isTTY?: boolean; columns?: number }, env = {}): string {
  let text = "";
  const write = (chunk: Buffer, _: string, done: () => void): void => {
    text += chunk.toString();
    done();
  };
  const stderr = Object.assign(new Writable({ write }), terminal);
  const line = progressLine({ stderr, env }, (shown) => `<${shown}>`);
  line.show("overlap, 10 of 200 runs");
  line.show("queue");
  line.end();
  line.end();
  return text;
}

test("each text takes the place of the one before, and the last one is erased", () => {
  expect(shownOn({ isTTY: true })).toBe("\r\x1b[K<overlap, 10 of 200 runs>\r\x1b[K<queue>\r\x1b[K");
});

test("a text is cut to one row, so that it can be erased", () => {
  expect(shownOn({ isTTY: true, columns: 11 })).toContain("<overlap, …>");
});

test("a terminal that does not tell its width has one of 80 columns", () => {
  for (const columns of [undefined, 0])
    expect(shownOn({ isTTY: true, ...(columns === undefined ? {} : { columns }) })).toContain(
      "<overlap, 10 of 200 runs>",
    );
});

test("nothing is written to a pipe or a terminal that cannot erase", () => {
  expect(shownOn({})).toBe("");
  expect(shownOn({ isTTY: true }, { TERM: "dumb" })).toBe("");
});
