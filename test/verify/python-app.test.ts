import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { verifyApp } from "../../src/verify/targets/app.js";
import { userIds } from "../../src/verify/users.js";
import { seeds } from "../support/seeds.js";

const APP = fileURLToPath(new URL("apps/chat_app.py", import.meta.url));
const hasPython = spawnSync("python3", ["--version"]).status === 0;

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill();
});

async function check(kind: string, seed = 1) {
  const child = spawn("python3", [APP, kind], { stdio: ["pipe", "pipe", "inherit"] });
  started.push(child);
  const [line] = await once(child.stdout, "data");
  return verifyApp({
    url: `http://127.0.0.1:${Number(String(line))}/chat`,
    upstream: { host: "127.0.0.1", port: 0 },
    onUpstream: (model) => void child.stdin.write(`${model}\n`),
    ...{ users: userIds(4), rounds: 3, seed, signal: new AbortController().signal },
  });
}

// Skipped where there is no python3 to run the app with.
test.skipIf(!hasPython)("finds a shared field in a Python app", async () => {
  const { findings } = await check("broken");
  expect(findings.map(({ kind }) => kind)).toContain("foreign");
});

test.skipIf(!hasPython).each(seeds(3))(
  "finds nothing in a sound Python app in seed %i",
  async (seed) => {
    const { findings, gaps, pairs } = await check("sound", seed);
    expect({ findings, gaps }).toEqual({ findings: [], gaps: [] });
    expect(pairs.overlapped).toBe(pairs.of);
  },
);
