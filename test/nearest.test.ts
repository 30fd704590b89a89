import { expect, it } from "vitest";
import { nearest } from "../src/nearest.js";

const KNOWN = ["size", "sessions", "session", "export", "users"];

it.each([
  ["siez", "size"],
  ["user", "users"],
  ["exprot", "export"],
  // What was begun was meant, however far its end is; the shorter of two.
  ["sess", "session"],
  ["exp", "export"],
  ["frobnicate", undefined],
  ["s", undefined],
])("for %j it is %j", (word, meant) => {
  expect(nearest(word, KNOWN)).toBe(meant);
});

it("is nothing where nothing is known", () => {
  expect(nearest("size", [])).toBeUndefined();
});
