// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates of the check
import { expect, test } from "vitest";
import type { Model } from "../../src/models/model.js";
import { OpenAIModel } from "../../src/models/openai.js";
import { type AppOptions, verifyApp } from "../../src/verify/targets/app.js";
import { userIds } from "../../src/verify/users.js";
import { type ServeOptions, serve } from "../server/support.js";

/** Checks our own server from outside, like anybody's app. */
async function check(path: string, options: Partial<AppOptions>, serving: ServeOptions = {}) {
  let inner: Model | undefined;
  const model: Model = {
    name: "verify",
    stream: (request, more) => (inner as Model).stream(request, more),
  };
  const { url } = await serve({ model, ...serving });
  return verifyApp({
    url: url + path,
    upstream: { host: "127.0.0.1", port: 0 },
    onUpstream: (baseUrl) => {
      inner = new OpenAIModel({ model: "verify", baseUrl, apiKey: "none" });
    },
    ...{ users: userIds(5), rounds: 4, seed: 1, signal: new AbortController().signal },
    ...options,
  });
}

const byHeader = {
  authenticate: (request: { headers: Record<string, unknown> }) => ({
    userId: String(request.headers["x-user"]),
  }),
} as unknown as ServeOptions;

const ways: [string, string, Partial<AppOptions>, ServeOptions?][] = [
  ["POST /chat", "/chat", {}],
  ["POST /v1/responses", "/v1/responses", { as: "openai" }],
  [
    "POST /v1/responses streamed, with an authenticated user",
    "/v1/responses",
    {
      as: "openai",
      headers: ["X-User: ${user}"],
      body: '{"conversation":"${session}","input":"${message}","stream":true}',
    },
    byHeader,
  ],
  ["A2A, where the context is the user", "/a2a", { as: "a2a" }],
  ["A2A with sessions", "/a2a", { as: "a2a", headers: ["X-User: ${user}"] }, byHeader],
];

test.each(ways)("finds nothing from outside by %s", async (_, path, options, serving) => {
  const { findings, gaps, pairs } = await check(path, options, serving);
  expect({ findings, gaps }).toEqual({ findings: [], gaps: [] });
  expect(pairs.overlapped).toBe(pairs.of);
});

test("says that POST /v1/chat/completions keeps nothing, so that there is nothing to mix", async () => {
  const { findings, gaps } = await check("/v1/chat/completions", { as: "openai" });
  expect(findings).toEqual([]);
  expect(gaps).toEqual([expect.stringMatching(/^stateless: /)]);
});

test("finds that a server takes everybody for one user", async () => {
  const everybody = { authenticate: () => ({ userId: "one" }) } as unknown as ServeOptions;
  const { findings } = await check("/a2a", { as: "a2a", headers: ["X-User: ${user}"] }, everybody);
  expect(findings.map(({ kind }) => kind)).toContain("foreign");
});
