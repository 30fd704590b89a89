import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ensureFolder } from "../src/ensure-folder.js";
import { Cli } from "./support/cli.js";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "ensure-folder-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("makes the folders that are missing, for their owner alone, and leaves those that are there", () => {
  const top = temporaryFolder();
  const folder = join(top, "a", "b");
  ensureFolder(folder);
  ensureFolder(folder);
  for (const made of [folder, join(top, "a")])
    if (process.platform !== "win32") expect(statSync(made).mode & 0o777).toBe(0o700);
});

test("fails where a file stands in the way", () => {
  const file = join(temporaryFolder(), "file");
  writeFileSync(file, "");
  expect(() => ensureFolder(file)).toThrow(/ENOTDIR|EEXIST/);
  expect(() => ensureFolder(join(file, "below"))).toThrow("ENOTDIR");
});

test("a file as the home is refused as such, not as a broken settings file", async () => {
  const home = join(temporaryFolder(), "file");
  writeFileSync(home, "");
  const { code, stderr } = await new Cli({ AGNO_CHAT_HOME: home }).run(["size"]);
  expect(code).toBe(4);
  expect(stderr).toMatch(
    /^agno-chat: Cannot use the memory file "[^\n]+ \((ENOTDIR|EEXIST)\)[^\n]+\n$/,
  );
});

test.runIf(process.platform === "linux")(
  "a home where the system makes no folders is refused in one line, by whatever would write there",
  async () => {
    const home = "/proc/agno-chat/home";
    const cli = new Cli({ AGNO_CHAT_HOME: home });
    for (const [args, file] of [
      [["size"], `memory file "${home}/chat.db"`],
      [["config", "set", "model", "demo"], `settings file ${home}/settings.json`],
    ] as const) {
      const { code, stdout, stderr } = await cli.spawn(args);
      expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
      expect(stderr).toMatch(
        /^agno-chat: Cannot [^\n]+ no such file or directory \(ENOENT\)[^\n]+\n$/,
      );
      expect(stderr).toContain(file);
    }
  },
);
