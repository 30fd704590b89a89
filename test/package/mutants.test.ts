import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { MUTANTS } from "../../scripts/mutants/list.mjs";

test("every leak of the list can be planted: its text stands in the source exactly once", () => {
  expect(MUTANTS.length).toBeGreaterThan(80);
  const misplaced = MUTANTS.filter(
    ([file = "", , text = ""]) => readFileSync(file, "utf8").split(text).length !== 2,
  );
  expect(misplaced).toEqual([]);
});
