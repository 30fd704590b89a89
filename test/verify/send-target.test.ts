import { describe, expect, test } from "vitest";
import { verifySend } from "../../src/verify/targets/send.js";
import type { SendTarget, VerifyTarget } from "../../src/verify/targets/target.js";
import { verifyIsolation } from "../../src/verify/verify-isolation.js";
import { seeds } from "../support/seeds.js";
import { App } from "./apps/app.js";
import { BROKEN_APPS } from "./apps/broken-apps.js";
import { SOUND_APPS } from "./apps/sound-apps.js";

/** An app in this process, without HTTP in front of it. */
const targetOf = (app: App): SendTarget => ({
  upstream: ({ baseURL }) => {
    app.model = baseURL;
  },
  send: (user, message) => app.chat({ user, session: "default", message }),
  clear: (user) => app.clear(user),
});

const DRIVEN = { users: 5, rounds: 4, seed: 1, signal: new AbortController().signal };

/** Faults of connections and of sessions, which a function has not. */
const OTHERS = [
  "late replies to the next caller",
  "a user for each connection",
  "user and session joined",
  "a refused message that is kept",
  "a message that is kept and answered 429",
  "the latest message in a header",
  "the latest reply beside one's own",
  "the latest message in a refusal",
];

test.each(BROKEN_APPS.filter(([name]) => !OTHERS.includes(name)))(
  "finds %s",
  async (_, kinds, make) => {
    const { findings } = await verifySend(targetOf(make()), DRIVEN);
    expect(findings.map(({ kind }) => kind).filter((kind) => kinds.includes(kind))).not.toEqual([]);
  },
);

const NEED_NO_HTTP = ["a plain app", "a slow app", "an app with a summary of its own user"];

describe.each(SOUND_APPS.filter(([name]) => NEED_NO_HTTP.includes(name)))(
  "finds nothing in %s",
  (_, make) => {
    test.each(seeds())("in seed %i", async (seed) => {
      const { findings, gaps, pairs } = await verifySend(targetOf(make(seed)), { ...DRIVEN, seed });
      expect({ findings, gaps }).toEqual({ findings: [], gaps: [] });
      expect(pairs.overlapped).toBe(pairs.of);
    });
  },
);

test("shows by what was sent that a sound app is isolated", async () => {
  const report = await verifyIsolation(targetOf(new App()), { users: 4, runs: 8, seed: 1 });
  expect(report).toMatchObject({ verdict: "isolated", evidence: ["sent"], users: 4 });
  expect(report.checks.map(({ check }) => check)).toContain("clears");
});

test("finds what a failure says of somebody else", async () => {
  const app = new App();
  const latest: string[] = [];
  const send: SendTarget["send"] = (user, message) => {
    latest.push(message);
    if (latest.length % 5 === 0) throw new Error("Busy.", { cause: new Error(latest.at(-2)) });
    return app.chat({ user, session: "default", message });
  };
  const { findings } = await verifySend({ ...targetOf(app), send }, DRIVEN);
  expect(findings).toContainEqual(expect.objectContaining({ kind: "foreign", where: "answer" }));
});

test("never calls replies alone proof", async () => {
  const app = new App();
  app.ask = async (messages) => messages.map(({ content }) => content).join(" ");
  const { upstream: _, ...target } = targetOf(app);
  const sound = await verifyIsolation(target, { seed: 1 });
  expect(sound).toMatchObject({ verdict: "not-shown", evidence: ["replies"], findings: [] });
  app.keyOf = () => '["everybody"]';
  expect((await verifyIsolation(target, { seed: 1 })).verdict).toBe("leak");
});

const send = () => "Hello.";

test.each([
  ["an empty target", {}],
  ["no target", undefined],
  ["a misspelt key", { send, upstreem: () => {} }],
  ["two targets", { send, model: () => {} }],
  ["an option as a target", { send, users: 3 }],
])("refuses %s", async (_, target) => {
  await expect(verifyIsolation(target as unknown as VerifyTarget)).rejects.toMatchObject({
    code: "USAGE",
  });
});
