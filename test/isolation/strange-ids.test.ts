import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { Cli } from "../support/cli.js";

const NFC = "é";

const ALLOWED = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "a.b",
  "a",
  "../a",
  "../../etc/passwd",
  ".",
  "..",
  "/",
  "A",
  "%",
  "%2e%2e",
  "_",
  "*",
  "'; drop table messages; --",
  '"',
  "`id`",
  "$(id)",
  "null",
  "undefined",
  "0",
  "all",
  "--all-users",
  "👩‍👩‍👧",
  "世界",
  NFC,
  "x".repeat(255),
  "😀".repeat(255),
];

const REFUSED = [
  "",
  " ",
  " a",
  "a ",
  "x".repeat(256),
  "😀".repeat(256),
  NFC.normalize("NFD"),
  "a\nb",
  "a\rb",
  "a\tb",
  "a\0b",
  "a\x1b[31mb",
  "a\x9bb",
  "a\u202eb",
  "a\u200bb",
  "a\u2028b",
  "a\u{e0041}b",
  "a\ud800b",
];

describe("users with strange but valid ids", () => {
  it("see only their own history, and nothing is written outside the home folder", async () => {
    const cli = new Cli({ AGNO_CHAT_MODEL: "demo" });
    const home = join(cli.home, "home");
    const env = { AGNO_CHAT_HOME: home };
    const around = readdirSync(dirname(process.cwd()));
    for (const [index, user] of ALLOWED.entries())
      expect(
        await cli.run(["ask", `--user=${user}`, `My name is N${index}`], { env }),
      ).toMatchObject({ code: 0 });
    for (const [index, user] of ALLOWED.entries()) {
      const { stdout } = await cli.run(["ask", `--user=${user}`, "What's my name?"], { env });
      expect([user, stdout]).toEqual([user, `Your name is N${index}.\n`]);
      expect(await cli.json(["size", `--user=${user}`], { env })).toMatchObject({
        user,
        messages: 4,
      });
      const document = await cli.json(["export", `--user=${user}`], { env });
      expect([document.user, document.messages[0].content]).toEqual([user, `My name is N${index}`]);
    }
    const { users } = await cli.json(["users"], { env });
    expect(users.map(({ user }: { user: string }) => user).sort()).toEqual([...ALLOWED].sort());
    expect(readdirSync(cli.home)).toEqual(["home"]);
    expect(readdirSync(home).filter((name) => !/^chat\.db(-wal|-shm)?$/.test(name))).toEqual([]);
    expect(readdirSync(dirname(process.cwd()))).toEqual(around);

    for (const [index, user] of ALLOWED.entries()) {
      await cli.run(["clear", `--user=${user}`, "--yes"], { env });
      expect((await cli.json(["users"], { env })).users).toHaveLength(ALLOWED.length - index - 1);
    }
  });
});

it.each(REFUSED)(
  "the user %j is refused with exit code 2, and nothing is written",
  async (user) => {
    const cli = new Cli({ AGNO_CHAT_MODEL: "demo" });
    for (const args of [["ask", "Hi"], ["size"], ["clear", "-y"], ["export"], ["context"]]) {
      const { code, stdout, stderr } = await cli.run([...args, `--user=${user}`]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(/^agno-chat: --user: Invalid user id [\x20-\x7e…–]+\n$/);
      const session = await cli.run([...args, `--session=${user}`]);
      expect(session).toMatchObject({ code: 2, stdout: "" });
    }
    expect(readdirSync(cli.home)).toEqual([]);
  },
);

it("sessions with strange but valid names are kept apart", async () => {
  const cli = new Cli({ AGNO_CHAT_MODEL: "demo", AGNO_CHAT_USER: "alice" });
  for (const [index, session] of ALLOWED.entries())
    await cli.run(["ask", `--session=${session}`, `My name is N${index}`]);
  for (const [index, session] of ALLOWED.entries()) {
    const { stdout } = await cli.run(["ask", `--session=${session}`, "What's my name?"]);
    expect([session, stdout]).toEqual([session, `Your name is N${index}.\n`]);
  }
  for (const [index, session] of ALLOWED.entries()) {
    const { deleted } = await cli.json(["clear", `--session=${session}`, "-y"]);
    expect([session, deleted]).toEqual([session, { messages: 4, sessions: 1 }]);
    const { users } = await cli.json(["users"]);
    expect(users[0]?.sessions ?? 0).toBe(ALLOWED.length - index - 1);
  }
});
