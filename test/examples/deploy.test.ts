import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { Cli } from "../support/cli.js";

const FOLDER = "examples/deploy";
const textOf = (name: string): string => readFileSync(path.join(FOLDER, name), "utf8");
/** `serve` alone, and not the flags of `npm`, `podman` or `mkdir`. */
const servesIn = (text: string): string[] =>
  [...text.replace(/\\\n/g, " ").matchAll(/agno-chat"?,? "?serve\b.*/g)].map(([line]) => line);

test.each(readdirSync(FOLDER))("%s names only flags that serve has", async (name) => {
  const { stdout } = await new Cli().run(["serve", "--help"], {});
  const named = servesIn(textOf(name)).flatMap((line) => line.match(/--[a-z-]+/g) ?? []);
  expect(named.length).toBeGreaterThan(0);
  for (const flag of named) expect(stdout).toContain(`${flag} `);
});

test("the proxies keep a connection for less time than serve does, and buffer no stream", () => {
  expect(textOf("nginx.conf")).toMatch(/keepalive_timeout 60s;[\s\S]*proxy_buffering off;/);
  expect(textOf("Caddyfile")).toMatch(/flush_interval -1[\s\S]*keepalive 60s/);
});

const systemd = spawnSync("systemd-analyze", ["--version"]).status === 0;
test.runIf(systemd)("systemd finds nothing wrong with the unit", () => {
  const unit = path.join(FOLDER, "agno-chat.service");
  const { status, stderr } = spawnSync("systemd-analyze", ["verify", unit], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});
