import { describe, expect, it } from "vitest";
import { Cli } from "../support/cli.js";
import { startRepl } from "../support/repl-session.js";

const ask = (user: string, ...more: string[]) => ["ask", "-q", "-u", user, ...more, "My name is X"];

describe("limits on the command line", () => {
  it("set for one user hold at once, for that user alone, until they are removed", async () => {
    const cli = new Cli();
    const set = await cli.run(["limit", "set", "-u", "alice", "--tokens-per-day", "1"]);
    expect(set).toMatchObject({ code: 0, stdout: "", stderr: "alice: tokens per day 1.\n" });
    expect((await cli.run(ask("alice"))).code).toBe(0);
    expect(await cli.run(ask("alice"))).toMatchObject({
      code: 4,
      stdout: "",
      stderr: "agno-chat: Today's limit of 1 token is used up. Go on after midnight UTC.\n",
    });
    expect((await cli.run(ask("bob"))).code).toBe(0);
    expect(await cli.json(["limit", "set", "-u", "alice", "--runs-at-once", "2"])).toEqual({
      ...{ ok: true, user: "alice" },
      ...{ tokensPerDay: 1, requestsPerMinute: null, runsAtOnce: 2, bytesKept: null },
    });
    expect((await cli.run(["limit", "list"])).stdout).toBe(
      [
        "user   tokens a day  requests a minute  runs at once  bytes kept",
        "alice  1             -                  2             -\n",
      ].join("\n"),
    );
    expect(await cli.json(["limit", "remove", "-u", "alice"])).toEqual({ ok: true, user: "alice" });
    expect((await cli.run(ask("alice"))).code).toBe(0);
    expect(await cli.json(["limit", "list"])).toEqual({ ok: true, limits: [] });
    expect((await cli.run(["limit", "list"])).stderr).toBe("No user has limits of their own.\n");
  });

  it.each([
    ["flag", ["--max-requests-per-minute", "1"], {}],
    ["environment", [], { AGNO_CHAT_MAX_REQUESTS_PER_MINUTE: "1" }],
  ])("of everybody come from the %s", async (_, flags, env) => {
    const cli = new Cli(env);
    expect((await cli.run(ask("alice", ...flags))).code).toBe(0);
    const { error } = await cli.json(ask("alice", ...flags));
    expect(error).toMatchObject({ code: "RATE_LIMITED", stored: false });
    expect((await cli.run(ask("bob", ...flags))).code).toBe(0);
  });

  it("come with what is used of them in stats, also after a clear", async () => {
    const cli = new Cli();
    await cli.run(ask("alice"));
    await cli.run(["limit", "set", "-u", "alice", "--bytes-kept", "5000"]);
    await cli.run(ask("alice"));
    const flags = ["--max-tokens-per-day", "1000"];
    const before = await cli.json(["stats", "-u", "alice", ...flags]);
    expect(before).toMatchObject({
      ...{ ok: true, user: "alice", runsAtOnce: { used: 0, allowed: null } },
      ...{ requestsPerMinute: { used: 1, allowed: null }, bytesKept: { allowed: 5000 } },
      ...{ tokensPerDay: { used: expect.any(Number), allowed: 1000 } },
    });
    await cli.run(["clear", "-u", "alice", "-y"]);
    const { tokensPerDay, bytesKept } = await cli.json(["stats", "-u", "alice", ...flags]);
    expect({ tokensPerDay, bytesKept }).toEqual({
      tokensPerDay: before.tokensPerDay,
      bytesKept: { used: 0, allowed: 5000 },
    });
    const { stdout } = await cli.run(["stats", "-u", "bob"]);
    expect(stdout).toMatch(
      /^bob: no replies yet\n\nlimit +used +allowed\ntokens today \(UTC\) +0 +-\n/,
    );
  });

  it.each([
    [["limit"], "No limit command is named. Known: set, list, remove."],
    [["limit", "sett"], 'There is no limit command "sett". Did you mean set?'],
    [["limit", "set", "--runs-at-once", "1"], "limit set is for one user, but none is named."],
    [["limit", "remove"], "limit remove is for one user, but none is named."],
    [["limit", "remove", "-u", "bob"], "bob has no limits of their own. See agno-chat limit list."],
    [["limit", "set", "-u", "bob"], "No limit is given. Give one or more of --tokens-per-day"],
    [
      ["limit", "set", "-u", "bob", "--runs-at-once", "-1"],
      '--runs-at-once "-1" must be a whole number from 0 up.',
    ],
  ])("%j is refused with the next step", async (args, message) => {
    const { code, stderr } = await new Cli().run(args);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
  });

  it("show in the chat when most is used, and not before", async () => {
    const args = ["-u", "alice", "-q", "--max-requests-per-minute", "2"];
    const repl = await startRepl({ args });
    repl.type("My name is Alice\r");
    await repl.waitFor(/ out · [\d.]+ s\n[\s\S]*> *$/);
    expect(repl.screen.join("\n")).not.toContain("%");
    repl.type("What's my name?\r");
    await repl.waitFor(/ s · 100 % of this minute's messages/);
    repl.type("And again?\r");
    await repl.waitFor(/Only 2 messages a minute can be sent\./);
  });
});
