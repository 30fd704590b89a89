import { expect, onTestFinished, test } from "vitest";
import { BIN, Cli } from "../support/cli.js";
import { freePort } from "../support/free-port.js";
import {
  ModelServer,
  type ReceivedRequest,
  type Reply,
  status,
  streamedCalls,
  streamedText,
} from "../support/model-server.js";
import { Pty } from "../support/pty.js";
import { App, startApp } from "../verify/apps/app.js";
import { OneHistory } from "../verify/apps/broken-apps.js";

async function serve(reply: Reply | Reply[]): Promise<ModelServer> {
  const server = await ModelServer.start(reply);
  onTestFinished(() => server.close());
  return server;
}

const live = ({ url }: { url: string }, ...more: string[]) =>
  ["verify", "--live", "--yes", "--base-url", url, "--model", "test-model", ...more] as const;

const lastOf = ({ body }: ReceivedRequest) => body.messages.at(-1);

/** Calls the tool when it is told to, and else says that it has heard. */
const obeying: Reply = (response, request) => {
  const { role, content } = lastOf(request);
  const calls = role === "user" && content.startsWith("Call the tool");
  const call = { name: "verify_echo", arguments: { text: content } };
  return (calls ? streamedCalls(call, call) : streamedText("I have heard you."))(response, request);
};

test("verify --live judges what a real model is sent, in 15 calls, and leaves nothing behind", async () => {
  const server = await serve(obeying);
  const cli = new Cli();
  const report = await cli.json(live(server, "--seed", "1"));
  expect(report).toMatchObject({
    ...{ verdict: "isolated", evidence: ["sent", "store"], findings: [], gaps: [] },
    target: { kind: "live", model: "test-model" },
  });
  expect(server.requests).toHaveLength(15);
  const checks = report.checks.map(({ check }: { check: string }) => check);
  expect(checks).toEqual(expect.arrayContaining(["requests", "same-words", "stored", "tools"]));
  expect((await cli.json(["users"])).users).toEqual([]);
});

test("verify --live lets the model call the tools of the settings, and still knows every request", async () => {
  const noting: Reply = (response, request) => {
    const { role, content } = lastOf(request);
    const calls = role === "user" && content.startsWith("Remember");
    const call = { name: "remember", arguments: { text: content } };
    return (calls ? streamedCalls(call) : obeying)(response, request);
  };
  const server = await serve(noting);
  const report = await new Cli().json(live(server, "--seed", "1", "--tools", "notes"));
  expect(report).toMatchObject({ verdict: "isolated", findings: [], gaps: [] });
  expect(report.checks.map(({ check }: { check: string }) => check)).toContain("tools");
  const results = server.requests.map(lastOf).filter(({ role }) => role === "tool");
  expect(results.map(({ content }) => content).join()).toContain('{"remembered":"Remember');
});

test.each([
  ["yes", "y", "isolated", 0],
  ["no", "n", "nothing was changed", 2],
])("on a terminal verify --live calls no model before a %s", async (_, answer, shown, exit) => {
  const server = await serve(obeying);
  const cli = new Cli();
  const pty = new Pty({
    file: process.execPath,
    args: [BIN, ...live(server).filter((flag) => flag !== "--yes")],
    env: { AGNO_CHAT_HOME: cli.home },
    rows: 50,
  });
  await pty.waitFor("Call test-model about 15 times?");
  expect(server.requests).toEqual([]);
  pty.type(answer);
  pty.press("enter");
  expect((await pty.exited).exitCode).toBe(exit);
  expect(pty.everything.join("\n")).toContain(shown);
  expect(server.requests).toHaveLength(exit === 0 ? 15 : 0);
  await pty.close();
});

test("verify --live tells the model and the number of calls before it asks", async () => {
  const server = await serve(obeying);
  const args = live(server).filter((flag) => flag !== "--yes");
  const { code, stderr } = await new Cli().run([...args, "--max-calls", "9"]);
  expect(code).toBe(2);
  expect(stderr).toContain("This will call test-model about 15 times, at most 9.");
  expect(stderr).toContain("Add --yes to confirm.");
  expect(server.requests).toEqual([]);
});

test("a model that takes no tools leaves the check of tools out, and the rest stands", async () => {
  const refusing: Reply = (response, request) => {
    const answer =
      request.body.tools === undefined
        ? streamedText("I have heard you.")
        : status(400, { error: { message: "test-model does not support tools" } });
    return answer(response, request);
  };
  const report = await new Cli().json(live(await serve(refusing)));
  expect(report).toMatchObject({ verdict: "isolated", findings: [] });
  expect(report.checks.map(({ check }: { check: string }) => check)).not.toContain("tools");
  expect(report.notProved).toContainEqual(expect.stringContaining("tools"));
});

test("--max-calls ends the check before another call, with 5 and the reason", async () => {
  const server = await serve(obeying);
  const cli = new Cli();
  const { code, stdout } = await cli.run(live(server, "--max-calls", "5"));
  expect(code).toBe(5);
  expect(stdout).toContain("not shown: stopped after 5 calls of the model");
  // Calls under way are ended with it, some of them before they were sent.
  expect(server.requests.length).toBeLessThanOrEqual(5);
  expect((await cli.json(["users"])).users).toEqual([]);
});

test("a reply that holds somebody else's text is a leak", async () => {
  const said: string[] = [];
  const caching: Reply = (response, request) => {
    said.push(lastOf(request).content);
    return streamedText(`Somebody said: ${said[0]}`)(response, request);
  };
  const report = await new Cli().json(live(await serve(caching)));
  expect(report.verdict).toBe("leak");
  expect(report.findings).toContainEqual(
    expect.objectContaining({ check: "replies", kind: "foreign" }),
  );
});

test.each([
  ["a refused key", 3, status(401, { error: { message: "bad key" } }), "key"],
  ["a model that fails", 4, status(400, { error: { message: "no such thing" } }), "no such thing"],
])("%s ends verify --live with %i and one line", async (_, exit, reply, words) => {
  const cli = new Cli();
  const { code, stdout, stderr } = await cli.run(live(await serve(reply)));
  expect([code, stdout]).toEqual([exit, ""]);
  const lines = stderr.trimEnd().split("\n");
  expect(lines).toHaveLength(2);
  expect(lines[1]).toMatch(/^agno-chat: /);
  expect(lines[1]).toContain(words);
  expect((await cli.json(["users"])).users).toEqual([]);
});

test("a server that is not there ends verify --live with 4", async () => {
  const url = `http://127.0.0.1:${await freePort()}/v1`;
  const { code, stderr } = await new Cli().run(live({ url }));
  expect([code, stderr]).toEqual([4, expect.stringContaining("Nothing is listening")]);
});

test.each([
  ["isolated", App],
  ["leak", OneHistory],
])("verify --url --upstream --live passes an app's requests on: %s", async (verdict, Any) => {
  const server = await serve(streamedText("I have heard you."));
  const upstream = `127.0.0.1:${await freePort()}`;
  const url = await startApp(new Any(`http://${upstream}/v1`));
  const report = await new Cli().json(live(server, "--url", url, "--upstream", upstream));
  expect([report.verdict, report.evidence]).toEqual([verdict, ["sent"]]);
  expect(server.requests).toHaveLength(14);
  expect(server.requests[0]?.body.model).toBe("test-model");
});

test("a model that fails behind an app ends the check with its error", async () => {
  const server = await serve(status(400, { error: { message: "no such thing" } }));
  const upstream = `127.0.0.1:${await freePort()}`;
  const url = await startApp(new App(`http://${upstream}/v1`));
  const { code, stderr } = await new Cli().run(live(server, "--url", url, "--upstream", upstream));
  expect([code, stderr]).toEqual([4, expect.stringContaining("no such thing")]);
});

test.each([
  ["--max-calls needs --live", ["--max-calls", "3"]],
  ["--max-calls must be at least 1, not 0", ["--live", "--max-calls", "0"]],
  ["--live with --url needs --upstream", ["--live", "--url", "http://127.0.0.1:1/"]],
])("%s", async (message, flags) => {
  const { code, stderr } = await new Cli().run(["verify", ...flags]);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});
