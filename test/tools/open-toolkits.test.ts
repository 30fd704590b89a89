import { expect, it } from "vitest";
import { openToolkits, TOOLKIT_NAMES } from "../../src/tools/open-toolkits.js";

const opened = async (names: string) => (await openToolkits(names)).map(({ name }) => name);

it("opens toolkits by name, each once, whatever the case and spaces", async () => {
  expect(await opened("notes, Clock,notes,,")).toEqual(["notes", "clock"]);
  expect(await opened("")).toEqual([]);
  expect(await opened(TOOLKIT_NAMES.join(","))).toEqual(TOOLKIT_NAMES);
});

it("names the nearest toolkit and all others for an unknown name", async () => {
  await expect(openToolkits("notes,calculater")).rejects.toMatchObject({
    code: "USAGE",
    message: 'There is no toolkit "calculater".',
    hint: "Did you mean calculator? The toolkits are: calculator, clock, notes.",
  });
  await expect(openToolkits("__proto__")).rejects.toMatchObject({
    hint: "The toolkits are: calculator, clock, notes.",
  });
});
