import { expect, test } from "vitest";
import { DEFAULT_SESSION_ID, validateUserId } from "../../src/ids.js";
import type { ToolContext } from "../../src/tools/tool.js";
import type { Finding } from "../../src/verify/finding.js";
import { Ledger } from "../../src/verify/ledger.js";
import { probeTools } from "../../src/verify/probe-tools.js";
import { Random } from "../../src/verify/random.js";

test("a finding names who saw a text by user and session alone, and holds none of their messages", async () => {
  const ledger = new Ledger(new Random(1));
  const [alice, bob] = ["alice", "bob"].map((user) => {
    const whose = { userId: validateUserId(user), sessionId: DEFAULT_SESSION_ID };
    const run = ledger.begin(whose, { door: "test", plan: "tools" });
    run.messages.push({ role: "assistant", content: "", toolCalls: [] });
    run.requests = 1;
    return run;
  });
  const found: Finding[] = [];
  const { tools } = probeTools(ledger, (findings) => found.push(...findings));
  const echo = tools.find(({ name }) => name === "verify_echo");
  await echo?.execute({ text: alice?.text }, { ...bob } as unknown as ToolContext);
  expect(found).toMatchObject([{ kind: "foreign", of: { userId: "alice" } }]);
  expect(found[0]?.by).toEqual({ userId: "bob", sessionId: "default" });
});
