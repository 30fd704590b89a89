import { expect, it, onTestFinished, vi } from "vitest";
import { liveText } from "../../../src/cli/render/live-text.js";
import { RunView } from "../../../src/cli/render/run-view.js";

it("always says when the retry comes, after the server's own sentence", () => {
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

it("says once how much of a history that is too long is sent, and names the flag", () => {
  const notes: string[] = [];
  const view = new RunView({
    text: () => ({ add() {}, end() {} }),
    note: (line) => notes.push(line),
  });
  view.show({ type: "history-shortened", messages: 64 });
  view.show({ type: "history-shortened", messages: 32 });
  view.show({ type: "text-delta", text: "Hello" });
  expect(notes).toEqual([
    "· The history is too long for the model: only its last 32 messages fit. To send fewer from the start: --history 32",
  ]);
});

const output = {
  ...{ runId: "r", userId: "alice", sessionId: "default", messages: [], usage: undefined },
  ...{ content: "Hello", finishReason: "stop" as const },
};

it.each(["add", "end"] as const)(
  "never throws when a reply cannot be drawn (%s), and says where to find it",
  (method) => {
    const notes: string[] = [];
    const fail = () => {
      throw new RangeError("Maximum call stack size exceeded");
    };
    const view = new RunView({
      text: () => ({ add() {}, end() {}, [method]: fail }),
      note: (line) => notes.push(line),
    });
    view.show({ type: "text-delta", text: "Hello" });
    view.show({ type: "run-end", output });
    view.end();
    expect(notes).toEqual(["The reply could not be drawn. It is stored whole: export shows it."]);
  },
);

it("reports the failure of a timed paint to the next caller", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const text = liveText({
    renderer: { write: () => "", end: () => "", unfinished: () => "" },
    show: () => {
      throw new RangeError("too deep");
    },
  });
  text.add("Hello");
  vi.runAllTimers();
  expect(() => text.add(" again")).toThrow("too deep");
});
