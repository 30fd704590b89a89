import { expect, it } from "vitest";
import { RunView } from "../../../src/cli/render/run-view.js";

it("never cuts off when a retry comes, and ends the server's sentence before its own", () => {
  const notes: string[] = [];
  const view = new RunView({
    text: () => ({ add() {}, end() {} }),
    note: (line) => notes.push(line),
    toolWidth: () => 20,
  });
  view.show({ type: "retry", attempt: 2, delayMs: 20_000, reason: `busy ${"x".repeat(500)}` });
  view.show({ type: "retry", attempt: 1, delayMs: 400, reason: "Too many requests" });
  expect(notes[0]).toMatch(/^· busy x+… Trying again in 20\.0 s \(retry 2\)\.$/);
  expect(notes[1]).toBe("· Too many requests. Trying again in 0.4 s (retry 1).");
});
