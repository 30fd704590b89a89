import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

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
