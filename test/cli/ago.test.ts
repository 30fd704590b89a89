import { expect, it } from "vitest";
import { ago } from "../../src/cli/ago.js";

const NOW = Date.parse("2026-03-10T12:00:00Z");

it.each([
  ["2026-03-10T12:00:30Z", "just now"],
  ["2026-03-10T11:59:01Z", "just now"],
  ["2026-03-10T11:59:00Z", "1 minute ago"],
  ["2026-03-10T11:00:01Z", "59 minutes ago"],
  ["2026-03-10T10:30:00Z", "1 hour ago"],
  ["2026-03-09T12:00:01Z", "23 hours ago"],
  ["2026-03-09T12:00:00Z", "yesterday"],
  ["2026-03-05T12:00:00Z", "5 days ago"],
  ["2026-03-03T12:00:00Z", "on 2026-03-03"],
])("%s is %s", (time, words) => {
  expect(ago(time, NOW)).toBe(words);
});
