import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import { expect, test, vi } from "vitest";
import { main } from "../../src/cli/main.js";
import { cleanUp, temporaryFolder } from "./support.js";

const HOUR = 3_600_000;

test("serve --remove-inactive checks at once and then every hour until it ends", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  cleanUp(() => vi.useRealTimers());
  const streams = {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
  };
  const env = { AGNO_CHAT_HOME: temporaryFolder(), AGNO_CHAT_STORE: "memory:" };
  const io = Object.assign(new EventEmitter(), { ...streams, env });
  let told = "";
  streams.stderr.on("data", (text) => {
    told += text;
  });
  const deletions = () => told.match(/^Deleted 0 messages of 0 inactive users\.$/gm)?.length;

  const args = ["serve", "--port", "0", "--model", "demo", "--remove-inactive", "24h"];
  const exitCode = main(args, io);
  await expect.poll(deletions).toBe(1);
  for (const times of [2, 3]) {
    vi.advanceTimersByTime(HOUR);
    await expect.poll(deletions).toBe(times);
  }
  io.emit("SIGTERM");
  expect(await exitCode).toBe(143);
  vi.advanceTimersByTime(HOUR);
  expect(deletions()).toBe(3);
});
