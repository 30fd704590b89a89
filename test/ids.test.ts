import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AgnoChatError } from "../src/errors.js";
import { validateSessionId, validateUserId } from "../src/ids.js";

const faultOf = (id: unknown): AgnoChatError | undefined => {
  try {
    validateUserId(id);
    return undefined;
  } catch (thrown) {
    return thrown as AgnoChatError;
  }
};

const code = (point: number): string => `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;

describe("a user id", () => {
  it("is refused if it was decoded from bytes that are not UTF-8", () => {
    for (const byte of [0xe7, 0xe8, 0xe9])
      expect(faultOf(Buffer.from([0x6a, 0x6f, 0x73, byte]).toString("utf8"))?.message).toMatch(
        /not UTF-8/,
      );
  });

  it.each([
    "user-123e4567-e89b-12d3-a456-426614174000",
    "org-acme-user-001",
    "tenant-12345",
    "a",
    "0",
    "alice bob",
    "alice@example.org",
    "../a",
    "'; drop table",
    "__proto__",
    "ünïcödé",
    "用户",
    "👩‍👩‍👧",
    "❤️",
    "null",
    "e".repeat(255),
    "😀".repeat(255),
  ])("may be %j and is returned unchanged", (id) => {
    expect(validateUserId(id)).toBe(id);
    expect(validateSessionId(id)).toBe(id);
  });

  it.each([undefined, null, 0, 42, true, {}, [], ["alice"], new String("alice"), Symbol("alice")])(
    "is a string, never %o",
    (id) => {
      expect(faultOf(id)?.message).toContain("is not a string");
    },
  );

  it.each([
    ["", "empty"],
    ["e".repeat(256), "longer than 255"],
    ["😀".repeat(256), "longer than 255"],
    ["x".repeat(1e7), "longer than 255"],
    [" alice", "white space"],
    ["alice ", "white space"],
    ["alice\u00a0", "white space"],
    ["e\u0301", "NFC"],
    ["\u212b", "NFC"],
    ["a\ud800", "half a surrogate"],
    ["\udc00a", "half a surrogate"],
  ])("cannot be %j", (id, reason) => {
    expect(faultOf(id)).toMatchObject({ code: "INVALID_USER_ID" });
    expect(faultOf(id)?.message).toContain(reason);
  });

  it.each(
    [
      0x00, 0x0a, 0x0d, 0x1b, 0x7f, 0x85, 0x9b, 0xad, 0x34f, 0x61c, 0x115f, 0x180e, 0x200b, 0x200c,
      0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2060, 0x2061, 0x2064, 0x2066, 0x2069,
      0x206f, 0x3164, 0xfeff, 0xffa0, 0xe0001, 0xe0061, 0xe007f,
    ].map((point) => ({ name: code(point), character: String.fromCodePoint(point) })),
  )("cannot contain the invisible $name", ({ character }) => {
    for (const id of [`al${character}ice`, character]) expect(faultOf(id)).toBeDefined();
  });

  it("is refused in one line of plain ASCII, with a hint", () => {
    const strange = fc.string({ unit: "binary", maxLength: 600 });
    fc.assert(
      fc.property(strange, (id) => {
        const fault = faultOf(id);
        if (fault === undefined) return;
        expect(fault.message).toMatch(/^[\x20-\x7e…]{1,320}$/);
        expect(fault.hint).toMatch(/^Use 1–255 visible characters/);
      }),
    );
  });

  it("is never changed, so two users never become one", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (id) => {
        expect(faultOf(id) instanceof AgnoChatError || validateUserId(id) === id).toBe(true);
      }),
    );
  });
});

it("an invalid session id has its own code and message", () => {
  expect(() => validateSessionId("")).toThrow(
    expect.objectContaining({
      code: "INVALID_SESSION_ID",
      message: expect.stringContaining("session id"),
    }),
  );
});
