import { readdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { Cli } from "../support/cli.js";

const SCRIPTS = readdirSync("examples").filter((name) => name.endsWith(".chat"));

test("the examples are the demo and a support desk", () => {
  expect(SCRIPTS.sort()).toEqual(["demo.chat", "support-desk.chat"]);
});

test.each(SCRIPTS)("%s passes, and shows the same every time", async (name) => {
  const file = path.join("examples", name);
  const args = ["run", file, "--model", "demo", "--tools", "notes,calculator"];
  const run = () => new Cli().run(args, { env: { AGNO_CHAT_HOME: "" } });
  const first = await run();
  expect(first).toMatchObject({ code: 0, stderr: expect.stringContaining(", 0 failed.") });
  expect(await run()).toEqual(first);
});
