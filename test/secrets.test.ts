import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maskKey, maskSecrets } from "../src/secrets.js";

describe("maskSecrets", () => {
  it.each([
    ["postgres://chat:p%40ss@db/chat", "postgres://chat:…@db/chat"],
    ["http://u:a@b:c@proxy:8080 failed", "http://u:…@proxy:8080 failed"],
    ["https://x.example/v1?api_key=abc&b=1", "https://x.example/v1?api_key=…&b=1"],
    ["postgres://db/chat?sslpassword=abc", "postgres://db/chat?sslpassword=…"],
    ["Authorization: Bearer abcdefgh", "Authorization: Bearer …"],
    ["sk-proj-abc123 is wrong", "[key] is wrong"],
  ])("masks %j as %j", (text, masked) => {
    expect(maskSecrets(text)).toBe(masked);
  });

  it.each(["http://localhost:8080/v1", "mailto:a@b", "ratio 3:4@home", "https://x/?q=tokens"])(
    "does not change %j",
    (text) => {
      expect(maskSecrets(text)).toBe(text);
    },
  );
});

describe("maskKey", () => {
  const key = fc.stringMatching(/^[\x21-\x7e]{16,60}$/);
  const changed: readonly ((key: string) => string)[] = [
    (key) => key,
    (key) => key.toUpperCase(),
    (key) => key.toLowerCase(),
    encodeURIComponent,
    (key) => Buffer.from(key).toString("base64"),
    (key) => key.slice(3, 12),
    (key) => `${key.slice(0, 10)}****${key.slice(-4)}`,
  ];

  it("leaves no more than eight consecutive characters of a key, in any encoding", () => {
    fc.assert(
      fc.property(key, fc.constantFrom(...changed), (key, change) => {
        const echoed = change(key);
        const masked = maskKey(`You sent ${echoed}, which is wrong.`, key);
        for (let at = 0; at + 9 <= echoed.length; at += 1) {
          const piece = echoed.slice(at, at + 9);
          if (!piece.includes("*")) expect(masked).not.toContain(piece);
        }
      }),
    );
  });

  it("does not change a text without a part of the key", () => {
    expect(maskKey("The model is overloaded.", "sk-0123456789abcdef")).toBe(
      "The model is overloaded.",
    );
  });
});
