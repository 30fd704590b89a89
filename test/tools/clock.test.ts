import { expect, it } from "vitest";
import { callTool, toolTable } from "../../src/tools/call-tool.js";
import { clock } from "../../src/tools/clock.js";
import { Cli } from "../support/cli.js";
import { toolContext } from "../support/tool-context.js";

const now = new Date("2026-02-28T20:05:09Z");

async function currentTime(args: object, toolkit = clock({ now: () => now })) {
  const call = { id: "1", name: "current_time", arguments: JSON.stringify(args) };
  return callTool(toolTable([toolkit]), call, toolContext());
}

it("returns date, time and weekday in the requested time zone", async () => {
  expect(JSON.parse((await currentTime({ timeZone: "Asia/Tokyo" })).content)).toEqual({
    date: "2026-03-01",
    time: "05:05:09",
    weekday: "Sunday",
    timeZone: "Asia/Tokyo",
    utc: "2026-02-28T20:05:09.000Z",
  });
});

it("uses the system's time zone and clock by default", async () => {
  const before = Date.now();
  const { timeZone, utc } = JSON.parse((await currentTime({}, clock())).content);
  expect(timeZone).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone);
  expect(Date.parse(utc)).toBeGreaterThanOrEqual(before);
});

it("refuses a time zone that does not exist, and says what one looks like", async () => {
  const { content, isError } = await currentTime({ timeZone: "Mars/Base" });
  expect(isError).toBe(true);
  expect(content).toBe('There is no time zone "Mars/Base". Use an IANA name such as Europe/Paris.');
});

it("writes midnight as 00", async () => {
  const midnight = clock({ now: () => new Date("2026-01-01T00:00:00Z") });
  expect((await currentTime({ timeZone: "UTC" }, midnight)).content).toContain('"00:00:00"');
});

it.each([
  ["UTC+3", "UTC-03:00"],
  ["ABC-5", "UTC+05:00"],
  ["Foo/Bar", "UTC+00:00"],
  ["", "UTC+00:00"],
  ["Asia/Tokyo", "Asia/Tokyo"],
])("names the offset where the system's TZ=%j names no zone", async (TZ, named) => {
  const { stdout } = await new Cli().spawn(["ask", "What time is it?", "--tools", "clock"], {
    env: { TZ },
  });
  expect(stdout).toMatch(/^It is \d\d:\d\d:\d\d on \w+day, \d{4}-\d\d-\d\d \(.*\)\.\n$/);
  expect(stdout).toContain(`(${named})`);
});
