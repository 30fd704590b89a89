import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AgnoChatError, asAgnoChatError, ERROR_TABLE, sentencesOf } from "../src/errors.js";
import { temporaryFolder } from "./support/cli.js";

const outcomes = Object.entries(ERROR_TABLE);

describe("the table of errors", () => {
  it.each(outcomes)(
    "%s has an exit code, an HTTP status and a JSON-RPC code of the published ranges",
    (name, outcome) => {
      expect(name).toMatch(/^[A-Z][A-Z_]+$/);
      expect([1, 2, 3, 4, 5, 130]).toContain(outcome.exit);
      expect(outcome.http).toBeGreaterThanOrEqual(400);
      expect(outcome.http).toBeLessThan(600);
      expect(outcome.rpc).toBeGreaterThanOrEqual(-32768);
      expect(outcome.rpc).toBeLessThanOrEqual(-32000);
    },
  );

  it("separates bad input, a broken set-up and a failed service", () => {
    expect(ERROR_TABLE.INVALID_USER_ID).toMatchObject({ exit: 2, http: 400 });
    expect(ERROR_TABLE.MODEL_AUTH).toMatchObject({ exit: 3, http: 500 });
    expect(ERROR_TABLE.MODEL_RATE_LIMITED).toMatchObject({ exit: 4, http: 503 });
    expect(ERROR_TABLE.BUSY).toMatchObject({ exit: 4, http: 429 });
    expect(ERROR_TABLE.CANCELLED).toMatchObject({ exit: 130 });
    expect(ERROR_TABLE.INTERNAL).toMatchObject({ exit: 1, http: 500 });
  });
});

describe("the HTTP status of an error", () => {
  const statusesOf = (names: RegExp) =>
    new Set(outcomes.filter(([name]) => names.test(name)).map(([, { http }]) => http));

  it("is 4xx if the message is too long or filtered, or the history has changed", () => {
    expect(ERROR_TABLE.CONTEXT_TOO_LONG).toMatchObject({ exit: 4, http: 413 });
    expect(ERROR_TABLE.CONTEXT_TOO_LONG.rpc).toBe(ERROR_TABLE.INVALID_INPUT.rpc);
    expect(ERROR_TABLE.MODEL_FILTERED.http).toBe(422);
    expect(statusesOf(/^(HISTORY_CLEARED|STATE_CONFLICT|RUN_CONFLICT|LEASE_LOST)$/)).toEqual(
      new Set([409]),
    );
  });

  it("is 502, 503 or 504 if the model or the store failed", () => {
    const failed =
      /^(MODEL_(REJECTED|QUOTA|RATE|UNAVAILABLE|NETWORK|TIMEOUT|BAD)|MAX_LOOPS|STORE_(FAILED|CLOSED))/;
    expect(statusesOf(failed)).toEqual(new Set([502, 503, 504]));
    expect(ERROR_TABLE.MODEL_TIMEOUT.http).toBe(504);
  });

  it("is 500 if the server is configured wrongly or has a bug", () => {
    const ownFaults =
      /^(INTERNAL|CONFIG_INVALID|MODEL_(NOT|AUTH)|STORE_(UNKNOWN|FOREIGN|TOO_NEW)|INVALID_STATE)/;
    expect(statusesOf(ownFaults)).toEqual(new Set([500]));
  });
});

describe("an error", () => {
  it("is made of whatever was thrown, even of what cannot be looked at", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const strange = {
      get code(): never {
        throw new Error("no code");
      },
    };
    for (const thrown of [proxy, strange, null, undefined, Symbol("s"), 1n])
      expect(asAgnoChatError(thrown).code).toBe("INTERNAL");
  });

  it("carries its code, its hint and its cause", () => {
    const cause = new Error("refused");
    const error = new AgnoChatError("BUSY", "Busy.", { hint: "Wait.", cause });
    expect(error).toMatchObject({
      name: "AgnoChatError",
      code: "BUSY",
      message: "Busy.",
      hint: "Wait.",
      cause,
    });
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toBe("AgnoChatError: Busy.");
  });

  it("has no cause and no hint unless it was given one", () => {
    const error = new AgnoChatError("BUSY", "Busy.");
    expect("cause" in error).toBe(false);
    expect(error.hint).toBeUndefined();
  });

  it("is copied, not changed, to record whether its run is stored", () => {
    const error = new AgnoChatError("CANCELLED", "Cancelled.", { hint: "Go on.", cause: 1 });
    const told = error.with({ stored: true });
    expect(told).toMatchObject({ code: "CANCELLED", hint: "Go on.", cause: 1, stored: true });
    expect(error.stored).toBeUndefined();
    expect(sentencesOf(told)).toBe(
      "Cancelled. What was shown is stored, marked as interrupted. Go on.",
    );
    expect(sentencesOf(error)).toBe("Cancelled. Go on.");
    expect(sentencesOf(error.with({ message: "Off.", stored: false }))).toBe("Off. Go on.");
  });

  it("that is an AgnoChatError stays the same object", () => {
    const error = new AgnoChatError("BUSY", "Busy.");
    expect(asAgnoChatError(error)).toBe(error);
  });

  it.each([
    new TypeError("secret-key-1"),
    "secret-key-1",
    undefined,
    null,
    { message: "secret-key-1" },
  ])("of any other kind becomes INTERNAL, and its text stays in the cause", (thrown) => {
    const error = asAgnoChatError(thrown);
    expect(error).toMatchObject({ code: "INTERNAL", message: "Something unexpected went wrong." });
    expect(error.cause).toBe(thrown);
    expect(`${error.message} ${error.hint}`).not.toContain("secret-key-1");
  });

  it("of the operating system is explained, with its code and path", () => {
    const path = join(temporaryFolder(), "nothing");
    const thrown = failureOf(() => readFileSync(path));
    const reason = "no such file or directory (ENOENT), open";
    expect(asAgnoChatError(thrown)).toMatchObject({
      code: "SYSTEM_FAILED",
      message: `The system refused: ${reason}, ${JSON.stringify(path)}.`,
      cause: thrown,
    });
  });
});

function failureOf(work: () => unknown): unknown {
  try {
    return work();
  } catch (thrown) {
    return thrown;
  }
}
