import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { estimateTokens } from "../../src/models/estimate-usage.js";
import { ApiServer } from "../../src/models/openai/api-server.js";
import { proxyFor } from "../../src/models/openai/proxy.js";
import { retryDelay } from "../../src/models/openai/retry-policy.js";
import { EventTooLongError, eventsIn } from "../../src/models/openai/sse.js";
import { failureOf } from "../../src/models/openai/to-call-failure.js";

describe("server-sent events", () => {
  const events = async (raw: string, pieceSize: number) => {
    async function* body() {
      const bytes = Buffer.from(raw);
      for (let start = 0; start < bytes.length; start += pieceSize)
        yield bytes.subarray(start, start + pieceSize);
    }
    const found: string[] = [];
    for await (const data of eventsIn(body())) found.push(data);
    return found;
  };

  it("are read from bytes cut anywhere, with any line end", async () => {
    const line = fc
      .stringMatching(/^[^\s\r\n\u2028][^\r\n]*[^\s\r\n]$/u)
      .map((text) => `x${text.trim()}`);
    const lineEnd = fc.constantFrom("\n", "\r\n", "\r");
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(line, { minLength: 1, maxLength: 3 }), { maxLength: 5 }),
        lineEnd,
        fc.integer({ min: 1, max: 40 }),
        async (wanted, end, pieceSize) => {
          const raw = wanted
            .map((lines) => [": note", "id: 1", ...lines.map((text) => `data: ${text}`), "", ""])
            .map((lines) => lines.join(end))
            .join("");
          const datas = wanted.map((lines) => lines.join("\n"));
          expect(await events(raw, pieceSize)).toEqual(datas.map((data) => data.toWellFormed()));
        },
      ),
    );
  });

  it("may lack the space after the colon, and the last line end", async () => {
    expect(await events("\ufeffdata:a\n\ndata:b\ndata:\ndata: c", 2)).toEqual(["a", "b\nc"]);
  });

  it("are refused if one never ends, on one line or many", async () => {
    for (const line of ["x".repeat(100_000), `data: ${"x".repeat(100_000)}\n`]) {
      async function* endless() {
        yield Buffer.from("data: begun\n");
        for (let count = 0; count < 200; count++) yield Buffer.from(line);
      }
      const read = async () => {
        for await (const _ of eventsIn(endless()));
      };
      await expect(read()).rejects.toThrow(EventTooLongError);
    }
  });

  it("may be one document instead", async () => {
    expect(await events(' \n{"a":\n1}', 3)).toEqual(['{"a":\n1}']);
  });
});

describe("the proxy", () => {
  const via = (url: string, environment: Record<string, string>): string | undefined =>
    proxyFor(new URL(url), environment)?.host;

  it("depends on the protocol of the target, lower-case variables first", () => {
    const both = { HTTPS_PROXY: "http://s:1", HTTP_PROXY: "http://p:2" };
    expect(via("https://x.test", both)).toBe("s:1");
    expect(via("http://x.test", both)).toBe("p:2");
    expect(via("https://x.test", { ...both, https_proxy: "lower:3" })).toBe("lower:3");
    expect(via("https://x.test", {})).toBeUndefined();
  });

  it("is never used for this machine", () => {
    for (const host of ["localhost", "a.localhost", "127.0.0.1", "127.1.2.3", "[::1]"])
      expect(via(`http://${host}:8080`, { HTTP_PROXY: "p:1" })).toBeUndefined();
    expect(via("http://localhost.test", { HTTP_PROXY: "p:1" })).toBe("p:1");
  });

  it("is not used for what NO_PROXY names", () => {
    const isDirect = (list: string, host = "api.corp.test"): boolean =>
      via(`https://${host}`, { HTTPS_PROXY: "p:1", NO_PROXY: list }) === undefined;
    for (const list of [
      "*",
      "corp.test",
      ".corp.test",
      "*.corp.test",
      "x, API.corp.test",
      "corp.test:443",
    ])
      expect([list, isDirect(list)]).toEqual([list, true]);
    for (const list of ["", "orp.test", "corp.test:80", "x.api.corp.test", "."])
      expect([list, isDirect(list)]).toEqual([list, false]);
  });

  it("must be an http or https proxy", () => {
    for (const value of ["socks5://p:1", "http://[", "ftp://p"])
      expect(() => via("https://x.test", { HTTPS_PROXY: value })).toThrow(
        /HTTPS_PROXY does not name/,
      );
  });
});

describe("a connection that fails", () => {
  const server = new ApiServer({ baseUrl: "http://models.test/v1" });
  for (const [code, says, retry] of [
    ["ENOTFOUND", /^The host models.test was not found\.$/, false],
    ["EAI_AGAIN", /^The host models.test was not found\.$/, true],
    ["ECONNREFUSED", /^Nothing is listening at models.test\.$/, true],
    ["EHOSTUNREACH", /^The connection to models.test was lost \(EHOSTUNREACH\)\.$/, true],
    ["CERT_HAS_EXPIRED", /^No secure connection to models.test \(CERT_HAS_EXPIRED\)\.$/, false],
    ["ERR_TLS_CERT_ALTNAME_INVALID", /^No secure connection/, false],
  ] as const)
    it(`names the host, and ${retry ? "is" : "is not"} retried: ${code}`, () => {
      const thrown = Object.assign(new Error("raw"), { code });
      const failure = failureOf(thrown, { server, model: "m" });
      expect(failure.retry).toBe(retry);
      expect(failure.error).toMatchObject({
        code: "MODEL_NETWORK",
        message: expect.stringMatching(says),
      });
      expect(failure.error.hint).toMatch(/^[A-Z].*\.$/);
    });

  it("is told apart from a bug in this package", () => {
    const thrown = new TypeError("x is undefined");
    expect(failureOf(thrown, { server, model: "m" })).toMatchObject({
      error: { code: "INTERNAL", cause: thrown },
      retry: false,
    });
  });
});

it("a retry waits twice as long each time, up to 8 s, less up to a quarter at random", () => {
  const delays = (random: number) =>
    [1, 2, 3, 5, 9].map((attempt) =>
      retryDelay(attempt, { retryAfterMs: undefined, random: () => random }),
    );
  expect(delays(0)).toEqual([500, 1000, 2000, 8000, 8000]);
  expect(delays(1)).toEqual([375, 750, 1500, 6000, 6000]);
});

it("tokens are estimated by script", () => {
  expect(estimateTokens("a".repeat(36))).toBeCloseTo(10);
  expect(estimateTokens("я".repeat(100))).toBeCloseTo(45);
  expect(estimateTokens("漢".repeat(100))).toBeCloseTo(85);
  expect(estimateTokens("👋".repeat(10))).toBeCloseTo(16);
});
