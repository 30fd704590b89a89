import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import server from "../../examples/fetch.mjs";

test("the example of mounting keeps its two users apart", () => {
  const { stdout, stderr } = spawnSync(process.execPath, ["examples/server.mjs"], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  const lines = stdout.trim().split("\n");
  expect(lines).toHaveLength(4);
  expect(lines[2]).toMatch(/^200 \{"user_id":"alice","reply":"Your name is Alice\."\}$/);
  expect(lines[3]).toMatch(/^401 .*UNAUTHENTICATED/);
  expect(stdout).not.toMatch(/alice.*Bob|bob.*Alice/);
});

test("the example of web-standard requests keeps its two users apart", async () => {
  const ask = (token: string, message: string) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    const body = JSON.stringify({ message });
    return server.fetch(new Request("http://localhost/chat", { method: "POST", headers, body }));
  };
  await ask("token-of-alice", "My name is Alice");
  await ask("token-of-bob", "My name is Bob");
  expect(await (await ask("token-of-alice", "What's my name?")).json()).toEqual({
    user_id: "alice",
    reply: "Your name is Alice.",
  });
  expect((await ask("token-of-carol", "What's my name?")).status).toBe(401);
});
