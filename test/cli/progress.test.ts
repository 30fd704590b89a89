import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Progress } from "../../src/cli/progress.js";
import { FakeProcess } from "../support/cli.js";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** What is on stderr after work of ten steps that take this many milliseconds each. */
async function shown(step: number, { isTTY = true, quiet = false } = {}): Promise<string> {
  const io = new FakeProcess(["--version"], { env: {}, input: "" });
  await io.result;
  Object.assign(io.stderr, { isTTY });
  const options = { json: false, quiet, debug: false, color: true, yes: false, save: true };
  const progress = new Progress({ io, options });
  let done = 0;
  async function* work(): AsyncGenerator<number> {
    for (done = 1; done <= 10; done += 1) {
      vi.advanceTimersByTime(step);
      yield done;
    }
  }
  const steps: number[] = [];
  for await (const each of progress.along(work(), () => `${done} of 10`)) steps.push(each);
  expect(steps).toHaveLength(10);
  return io.stderr.text;
}

test("work of less than a second shows no progress", async () => {
  expect(await shown(90)).toBe("");
});

test("longer work shows on one line how far it is, and takes the line away in the end", async () => {
  expect(await shown(400)).toBe(
    `${[3, 4, 5, 6, 7, 8, 9, 10].map((done) => `\r\x1b[K${done} of 10`).join("")}\r\x1b[K`,
  );
});

test("no more than ten lines are painted in a second", async () => {
  expect((await shown(150)).match(/of 10/g)).toHaveLength(4);
});

test("nothing is shown where it cannot be taken away, or with --quiet", async () => {
  expect(await shown(400, { isTTY: false })).toBe("");
  expect(await shown(400, { quiet: true })).toBe("");
});
