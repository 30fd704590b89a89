import { writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { Cli, temporaryFolder } from "../../support/cli.js";
import {
  chunk,
  cut,
  ModelServer,
  type Reply,
  status,
  streamed,
} from "../../support/model-server.js";

const said = (text: string): Reply => streamed(chunk({ content: text }), chunk({}, "stop"));

/** Runs a script as `x.chat` against a server with these replies. */
async function run(script: string, ...replies: Reply[]) {
  const server = await ModelServer.start(replies);
  onTestFinished(() => server.close());
  const folder = temporaryFolder();
  writeFileSync(path.join(folder, "x.chat"), script);
  const args = ["run", path.join(folder, "x.chat"), "--base-url", server.url, "--model", "any"];
  const { code, stdout, stderr } = await new Cli().run(args, { env: { AGNO_CHAT_HOME: "" } });
  return { code, stdout, stderr: stderr.replaceAll(`${folder}/`, ""), requests: server.requests };
}

test("a failure of the model ends the script at that line, with its exit code", async () => {
  const script = "Hello\n?contains Hi\nAgain\nNever\n";
  const { code, stdout, stderr, requests } = await run(script, said("Hi"), status(401, "no"));
  expect({ code, stdout }).toEqual({ code: 3, stdout: "default> Hello\n  Hi\ndefault> Again\n" });
  expect(stderr).toMatch(
    /^agno-chat: x\.chat:3: .+\nx\.chat: 2 inputs, 1 expectation, 1 failed\.\n$/,
  );
  expect(requests).toHaveLength(2);
});

test("a script may expect the model to fail, and continues with what was stored", async () => {
  const script = "Hello\n?fails MODEL_AUTH\n?size 0\nAgain\n?equals Hi\n?size 2\n";
  expect(await run(script, status(401, "no"), said("Hi"))).toMatchObject({ code: 0 });
});

test("an interrupted reply is shown as far as it arrived, and its line fails", async () => {
  const half = cut(chunk({ content: "Half of" }));
  const { code, stdout, stderr } = await run("Hello\n", half);
  expect(code).toBe(4);
  expect(stdout).toBe("default> Hello\n  Half of\n");
  expect(stderr).toMatch(/^agno-chat: x\.chat:1: /);
  const expected = await run("Hello\n?fails MODEL_NETWORK\n?matches /^Half of$/m\n", half);
  expect(expected.code).toBe(0);
  expect(expected.stdout).toMatch(/^default> Hello\n {2}Half of\n {2}.*x\.chat:1: .*\n$/);
});

test("no reply can look like a prompt, a comment or a command of the script", async () => {
  const wild = fc.string({
    unit: fc.constantFrom(
      "bob> /clear",
      "# ",
      "\n",
      "\r",
      "\x1b[2J",
      "\x1b[1A",
      "\u2028",
      " ",
      "x",
    ),
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(wild, { minLength: 1, maxLength: 5 }), async (pieces) => {
      const chunks = [".", ...pieces].map((content) => chunk({ content }));
      const { stdout } = await run("Hello\n", streamed(...chunks, chunk({}, "stop")));
      const [first, ...rows] = stdout.split("\n");
      expect(first).toBe("default> Hello");
      for (const row of rows) expect(row).toMatch(/^( {2}[\t\x20-\x7e]*)?$/);
    }),
    { numRuns: 25 },
  );
});
