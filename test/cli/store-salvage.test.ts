import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Cli } from "../support/cli.js";
import { intactFile, SECRET } from "../support/damaged-file.js";

const NOTE = "Tokens, limits and what was used of them are not in it.\n";

/** A home whose file has lost its last page. */
async function cut(): Promise<Cli> {
  const cli = new Cli({ AGNO_CHAT_MODEL: "demo" });
  const path = join(cli.home, "chat.db");
  const intact = await intactFile(path);
  writeFileSync(path, intact.subarray(0, intact.length - 4096));
  return cli;
}

it("store check names a damaged file and the command that saves who can be read", async () => {
  const cli = await cut();
  const { code, stdout } = await cli.run(["store", "check"]);
  expect(code).toBe(5);
  expect(stdout).toMatch(/UNSAFE {2}integrity {2}the file is cut off: it has \d+ of \d+ bytes\n/);
  const [, command = ""] = /agno-chat (store salvage NEW-FILE .*)\n/.exec(stdout) ?? [];
  const saved = join(cli.home, "saved.db");
  const words = command.replaceAll('"', "").replace("NEW-FILE", saved).split(" ");
  const result = await cli.run(words);
  expect(result.code).toBe(5);
  expect(result.stdout).toMatch(
    /^Saved 7 of 7 users with 100 messages to .*saved\.db \(\d+ kB\)\.\n/,
  );
  expect(result.stderr).toMatch(new RegExp(`^Lost: \\d messages of ${SECRET}-user-0\\.$`, "m"));
  expect(result.stderr.endsWith(NOTE)).toBe(true);
  const store = ["--store", `sqlite:${saved}`];
  expect(await cli.run(["store", "check", ...store])).toMatchObject({ code: 0 });
  await cli.run(["ask", "My name is Al", "-u", `${SECRET}-user-0`, ...store]);
});

it("store salvage --json says what is saved and lost; the new file is its owner's", async () => {
  const cli = await cut();
  const file = join(cli.home, "saved.db");
  const document = await cli.json(["store", "salvage", file]);
  expect(document).toMatchObject({
    ok: false,
    file,
    users: 7,
    messages: 100,
    lost: [],
    nameless: 0,
  });
  expect(document.damaged).toHaveLength(7);
  if (process.platform !== "win32") expect(statSync(file).mode & 0o777).toBe(0o600);
});

it("store salvage overwrites nothing and leaves the damaged file as it is", async () => {
  const cli = await cut();
  const path = join(cli.home, "chat.db");
  const before = readFileSync(path);
  expect((await cli.run(["store", "salvage", path])).stderr).toBe(
    "agno-chat: The new file cannot be the memory file itself. Name another file.\n",
  );
  const taken = join(cli.home, "taken.db");
  writeFileSync(taken, "");
  expect((await cli.run(["store", "salvage", taken])).stderr).toBe(
    `agno-chat: The file "${taken}" already exists. Choose another name.\n`,
  );
  await cli.run(["store", "salvage", join(cli.home, "saved.db")]);
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(readdirSync(cli.home).filter((name) => name.startsWith("."))).toEqual([]);
});

it("store salvage of a whole file is a copy of it, with exit code 0", async () => {
  const cli = new Cli({ AGNO_CHAT_MODEL: "demo" });
  await cli.run(["ask", "My name is Alice", "-u", "alice"]);
  const saved = join(cli.home, "saved.db");
  const { code, stdout, stderr } = await cli.run(["store", "salvage", saved]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: NOTE });
  expect(stdout).toMatch(/^Saved 1 of 1 user with 2 messages to /);
});
