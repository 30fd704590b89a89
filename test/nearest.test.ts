import { expect, it } from "vitest";
import { nearest } from "../src/nearest.js";

const KNOWN = ["size", "sessions", "session", "export", "users", "run", "ask", "copy", "baseUrl"];

it.each([
  ["siez", "size"],
  ["user", "users"],
  ["exprot", "export"],
  // What was begun was meant, however far its end is; the shorter of two.
  ["sess", "session"],
  ["exp", "export"],
  // In any case.
  ["USERS", "users"],
  ["Exprot", "export"],
  ["baseurl", "baseUrl"],
  ["rnu", "run"],
  ["frobnicate", undefined],
  ["s", undefined],
  // Two letters away from a short word is another word.
  ["rm", undefined],
  ["ls", undefined],
  ["nope", undefined],
  ["", undefined],
])("for %j it is %j", (word, meant) => {
  expect(nearest(word, KNOWN)).toBe(meant);
});

it("is undefined when there is nothing to choose from", () => {
  expect(nearest("size", [])).toBeUndefined();
});
