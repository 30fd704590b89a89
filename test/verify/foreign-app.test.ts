// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates of the check
import { expect, test } from "vitest";
import { type AppOptions, verifyApp } from "../../src/verify/targets/app.js";
import { userIds } from "../../src/verify/users.js";
import { App, type Incoming, type Spoken, serveApp } from "./apps/app.js";
import { BROKEN_APPS } from "./apps/broken-apps.js";
import { SOUND_APPS } from "./apps/sound-apps.js";

const BODY = '{"user_id":"${user}","message":"${message}","session_id":"${session}"}';

async function check(app: App, options: Partial<AppOptions> = {}) {
  const { url, close } = await serveApp(app);
  try {
    return await verifyApp({
      ...{ url: `${url}/chat`, body: BODY, clear: `DELETE ${url}/history?user=\${user}` },
      upstream: { host: "127.0.0.1", port: 0 },
      onUpstream: (model) => {
        app.model = model;
      },
      ...{ users: userIds(5), rounds: 4, seed: 1, signal: new AbortController().signal },
      ...options,
    });
  } finally {
    await close();
  }
}

test.each(BROKEN_APPS)("finds %s", { timeout: 20_000 }, async (_, kinds, make) => {
  const { findings } = await check(make());
  const found = findings.map(({ kind }) => kind);
  expect(kinds.some((kind) => found.includes(kind))).toBe(true);
});

test.each(SOUND_APPS)("finds nothing in %s", { timeout: 60_000 }, async (_, make) => {
  for (let seed = 1; seed <= 20; seed++) {
    const { findings, gaps, pairs, evidence } = await check(make(seed), { seed });
    expect({ seed, findings, gaps }).toEqual({ seed, findings: [], gaps: [] });
    expect({ evidence, overlapped: pairs.overlapped }).toEqual({
      evidence: "sent",
      overlapped: pairs.of,
    });
  }
});

test("says of an app without a history that there is nothing to judge", async () => {
  class Forgetful extends App {
    override prompt({ message }: Incoming): Spoken[] {
      return [{ role: "user", content: message }];
    }
  }
  const { gaps, findings } = await check(new Forgetful());
  expect(findings).toEqual([]);
  expect(gaps).toEqual([expect.stringContaining("stateless")]);
});

test("says of an app that asks another model that no request came", async () => {
  const app = new App();
  app.ask = async () => "Hello.";
  const { gaps, findings } = await check(app);
  expect(findings).toEqual([]);
  expect(gaps).toEqual([expect.stringContaining("no request came")]);
});

test("never calls replies alone proof", async () => {
  const app = new App();
  app.ask = async (messages) => messages.map(({ content }) => content).join(" ");
  const sound = await check(app, { upstream: undefined });
  expect(sound).toMatchObject({ evidence: "replies", findings: [], gaps: [expect.any(String)] });

  const leaky = new App();
  leaky.ask = app.ask;
  leaky.keyOf = () => "shared";
  const { findings } = await check(leaky, { upstream: undefined });
  expect(findings.map(({ kind }) => kind)).toContain("foreign");
});
