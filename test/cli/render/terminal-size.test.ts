import { expect, it } from "vitest";
import { columnsOf, rowsOf } from "../../../src/cli/render/terminal-size.js";
import { wrapText } from "../../../src/cli/render/wrap.js";

it.each([{}, { columns: 0, rows: 0 }, { columns: undefined, rows: undefined }])(
  "a terminal of size %j has 80 columns and 24 rows",
  (terminal) => {
    expect([columnsOf(terminal as never), rowsOf(terminal as never)]).toEqual([80, 24]);
  },
);

it("a terminal of 0 columns shows whole lines, not a few letters each", () => {
  const text = "Nice to meet you, Alice! I will know your name.";
  expect(wrapText(text, { width: columnsOf({ columns: 0 }), indent: "" })).toBe(`${text}\n`);
});
