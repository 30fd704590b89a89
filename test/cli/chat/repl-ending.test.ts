import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { chunk, stalled, streamedText } from "../../support/model-server.js";
import { Pty } from "../../support/pty.js";
import {
  modelServer,
  openRepl,
  sayAll,
  startRepl,
  temporaryFolder,
} from "../../support/repl-session.js";

const BIN = path.resolve("bin/agno-chat.js");

/** Alice's stored history, as JSON. */
function storedIn(home: string): string {
  const args = [BIN, "export", "-u", "alice"];
  const env = { PATH: process.env.PATH, AGNO_CHAT_HOME: home };
  return spawnSync(process.execPath, args, { env, encoding: "utf8" }).stdout;
}

test.each([
  ["the terminal closes", (pty: Pty) => pty.hangUp(), 129],
  ["HUP", (pty: Pty) => pty.kill("SIGHUP"), 129],
  ["TERM", (pty: Pty) => pty.kill("SIGTERM"), 143],
  ["INT", (pty: Pty) => pty.kill("SIGINT"), 130],
  ["QUIT", (pty: Pty) => pty.kill("SIGQUIT"), 131],
] as const)(
  "keeps the shown part of a reply, and ends without a core dump: %s",
  async (_, end, exitCode) => {
    const home = temporaryFolder();
    const server = await modelServer(stalled(chunk({ content: "Once upon a time" })));
    const pty = await startRepl({ server, home });
    pty.type("Tell me a story\rhalf typed");
    await pty.waitFor(() => server.requests.length === 1);
    await pty.waitFor(/> half typed$/);
    end(pty);
    expect(await pty.exited).toMatchObject({ exitCode, signal: 0 });
    expect(JSON.parse(storedIn(home)).messages).toMatchObject([
      { role: "user", content: "Tell me a story" },
      { role: "assistant", content: "Once upon a time", interrupted: true },
    ]);
  },
);

test.each([
  ["at an idle prompt", async () => {}],
  [
    "over a question",
    async (pty: Pty) => {
      pty.type("/clear\r");
      await pty.waitFor("(y/N)");
    },
  ],
  [
    "over a picker",
    async (pty: Pty) => {
      pty.type("/user\r");
      await pty.waitFor("Talk as");
    },
  ],
  [
    "over an editor",
    async (pty: Pty) => {
      pty.type("draft\x07");
      await pty.waitFor("editing");
    },
  ],
])("a terminal that closes %s ends the chat cleanly", async (_, reach) => {
  const env = { EDITOR: "echo editing; sleep 60; :" };
  const pty = await startRepl({ server: await modelServer(streamedText("ok")), env });
  await sayAll(pty, "Hello");
  await reach(pty);
  pty.hangUp();
  expect(await pty.exited).toMatchObject({ exitCode: 129, signal: 0 });
});

/** From its exit event on, the process gets one SIGHUP after the other, until it has ended. */
const LATE_SIGNALS = `
  import { spawn } from "node:child_process";
  process.on("exit", () => {
    const hangUps = "while kill -HUP " + process.pid + "; do :; done";
    spawn("sh", ["-c", hangUps], { detached: true, stdio: "ignore" });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  });`;

test("a terminal whose signals come after the end of its input ends the chat with 129 too", async () => {
  const [home, late] = [temporaryFolder(), path.join(temporaryFolder(), "late.mjs")];
  writeFileSync(late, LATE_SIGNALS);
  // In a session of its own the chat gets no signal of the terminal, and the late one sends it.
  const outside = `
    process.on("SIGHUP", () => {});
    // Node itself ends badly on a terminal that has gone (nodejs/node#51519).
    process.on("exit", () => [0, 1, 2].forEach((fd) => require("node:fs").closeSync(fd)));
    require("node:child_process")
      .spawn(process.execPath, ["--import", ${JSON.stringify(late)}, ...process.argv.slice(1)], {
        detached: true,
        stdio: "inherit",
      })
      .on("exit", (code) => process.exit(code ?? 1));`;
  const pty = new Pty({
    file: process.execPath,
    args: ["-e", outside, "--", BIN, "--model", "demo", "-u", "alice", "-q"],
    env: { AGNO_CHAT_HOME: home },
  });
  await pty.waitFor(/> *$/);
  await sayAll(pty, "Hello");
  pty.hangUp();
  expect(await pty.exited).toMatchObject({ exitCode: 129, signal: 0 });
  expect(JSON.parse(storedIn(home)).messages).toHaveLength(2);
});

test("a terminal that closes during the start leaves no core dump", async () => {
  const pty = openRepl();
  await pty.waitFor(({ raw }) => raw !== "");
  pty.hangUp();
  const { exitCode, signal } = await pty.exited;
  expect(exitCode === 129 || signal === 1).toBe(true);
});

test("a terminal that closes during another command ends that cleanly too", async () => {
  const home = temporaryFolder();
  const server = await modelServer(stalled(chunk({ content: "Once upon a time\n\nthere" })));
  const pty = new Pty({
    file: process.execPath,
    args: [BIN, "ask", "Tell me a story", "-u", "alice", "--base-url", server.url],
    env: { AGNO_CHAT_HOME: home },
  });
  await pty.waitFor("Once upon");
  pty.hangUp();
  expect(await pty.exited).toMatchObject({ exitCode: 129, signal: 0 });
  expect(storedIn(home)).toContain("Once upon a time");
});
