import { expect, test } from "vitest";
import { localTime } from "../../src/cli/local-time.js";

test("a time is shown to the minute, where the reader is", () => {
  const local = new Date(2026, 0, 31, 9, 5, 59, 999);
  expect(localTime(local.toISOString())).toBe("2026-01-31 09:05");
  expect(localTime(local.getTime())).toBe("2026-01-31 09:05");
});
