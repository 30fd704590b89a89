// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates of the check
import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { type AppOptions, verifyApp } from "../../src/verify/targets/app.js";
import { userIds } from "../../src/verify/users.js";
import { seeds } from "../support/seeds.js";
import { App, type Incoming, type Spoken, serveApp } from "./apps/app.js";
import { BROKEN_APPS } from "./apps/broken-apps.js";
import { Busy, GlobalSessions, ShortWindow, SOUND_APPS } from "./apps/sound-apps.js";

const BODY = '{"user_id":"${user}","message":"${message}","session_id":"${session}"}';

async function check(app: App, options: Partial<AppOptions> = {}, path = "/chat") {
  const { url, close } = await serveApp(app);
  try {
    return await verifyApp({
      ...{ url: url + path, body: BODY, clear: `DELETE ${url}/history?user=\${user}` },
      upstream: { host: "127.0.0.1", port: 0 },
      onUpstream: (model) => {
        app.model = model;
      },
      ...{ users: userIds(4), rounds: 4, seed: 1, signal: new AbortController().signal },
      ...options,
    });
  } finally {
    await close();
  }
}

// Side by side, since a check waits more than it computes.
test.concurrent.each(BROKEN_APPS)("finds %s", async (_, kinds, make) => {
  const { findings } = await check(make());
  const found = findings.map(({ kind }) => kind);
  expect(kinds.some((kind) => found.includes(kind))).toBe(true);
});

describe.each(SOUND_APPS)("finds nothing in %s", (_, make, few) => {
  test.concurrent.each(seeds(few))("in seed %i", async (seed) => {
    const { findings, gaps, pairs, evidence } = await check(make(seed), { seed });
    expect({ findings, gaps }).toEqual({ findings: [], gaps: [] });
    expect({ evidence, overlapped: pairs.overlapped }).toEqual({
      evidence: "sent",
      overlapped: pairs.of,
    });
  });
});

test("sends a message again that the app surely has not run", async () => {
  const { ledger } = await check(new Busy());
  const outcomes = ledger.conversations.flatMap(({ runs }) => runs.map(({ outcome }) => outcome));
  // The caller who gives up is the only one whose message is uncertain.
  expect(outcomes.filter((outcome) => outcome !== "stored")).toEqual(["uncertain"]);
});

test("says of an app with a window how long that is", async () => {
  const { notProved } = await check(new ShortWindow(3));
  expect(notProved).toEqual([expect.stringContaining("window of 3 runs")]);
  expect((await check(new App())).notProved).toEqual([]);
});

test("gives each user session names of their own where others' are refused", async () => {
  const { ledger } = await check(new GlobalSessions(403));
  const names = ledger.conversations.map(({ sessionId }) => sessionId);
  expect(names).toContain("alice-work");
});

const namings: [string, Partial<AppOptions> & { readonly path?: string }][] = [
  ["a body", { body: BODY }],
  ["a header", { headers: ["X-Session: ${session}"] }],
  ["a URL", { path: "/chat?session=${session}" }],
  [
    "a body like that of /v1/responses",
    {
      as: "openai",
      body: '{"user":"${user}","conversation":"${session}","input":"${message}"}',
      reply: ".output[0].content[0].text",
    },
  ],
];

test.each(namings)(
  "finds by %s that sessions of one user are mixed",
  async (_, { path, ...options }) => {
    class Any extends App {
      override async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
        let text = "";
        for await (const chunk of request) text += chunk;
        const body = JSON.parse(text);
        const query = new URL(request.url ?? "/", "http://app").searchParams.get("session");
        const named = body.session_id ?? body.conversation ?? query;
        const incoming = {
          user: body.user_id ?? body.user,
          message: body.message ?? body.input,
          session: String(named ?? request.headers["x-session"]),
        };
        await this.answer(incoming, response, request);
      }

      override reply(response: ServerResponse, reply: string): void {
        response.end(JSON.stringify({ reply, output: [{ content: [{ text: reply }] }] }));
      }
    }
    const plain = { body: '{"user_id":"${user}","message":"${message}"}', clear: undefined };
    const sound = await check(new Any(), { ...plain, ...options }, path);
    expect(sound.findings).toEqual([]);
    expect(new Set(sound.ledger.conversations.map(({ sessionId }) => sessionId)).size).toBe(4);
    const mixing = new Any();
    mixing.keyOf = ({ user }) => JSON.stringify([user]);
    const { findings } = await check(mixing, { ...plain, ...options }, path);
    expect(findings.map(({ kind }) => kind)).toContain("cross-session");
  },
);

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
