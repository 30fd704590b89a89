import { expect, it } from "vitest";
import { nearest } from "../src/nearest.js";

const KNOWN = ["size", "sessions", "session", "export", "users", "run", "ask", "copy", "baseUrl"];

it.each([
  ["siez", "size"],
  ["user", "users"],
  ["exprot", "export"],
  // A prefix matches a longer word, and the shortest of several.
  ["sess", "session"],
  ["exp", "export"],
  // Case is ignored.
  ["USERS", "users"],
  ["Exprot", "export"],
  ["baseurl", "baseUrl"],
  ["rnu", "run"],
  ["frobnicate", undefined],
  ["s", undefined],
  // Two edits of a short word make another word.
  ["rm", undefined],
  ["ls", undefined],
  ["nope", undefined],
  ["", undefined],
])("the nearest word to %j is %j", (word, expected) => {
  expect(nearest(word, KNOWN)).toBe(expected);
});

it("there is no nearest word without candidates", () => {
  expect(nearest("size", [])).toBeUndefined();
});
