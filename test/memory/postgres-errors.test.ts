import { describe, expect, it } from "vitest";
import { AgnoChatError } from "../../src/errors.js";
import {
  MaybeStored,
  PostgresError,
  postgresError,
  storeFailed,
} from "../../src/memory/stores/postgres/postgres-errors.js";
import { repeatRead, repeatWrite } from "../../src/memory/stores/postgres/repeat.js";

const NAME = '"chat" at db.example';

/** The message for a person when the driver throws this. */
function said(thrown: unknown): string {
  const error = storeFailed(NAME, postgresError(thrown, { isSent: true })) as AgnoChatError;
  return error.message;
}

const withCode = (code: string, message = "a secret"): Error =>
  Object.assign(new Error(message), { code });

describe("a failure of PostgreSQL", () => {
  it.each([
    [withCode("ECONNREFUSED"), "nothing is listening there"],
    [withCode("53100"), "its disk is full"],
    [withCode("28P01"), "it refuses this role or its password"],
    [withCode("XX001"), "its server has found damage or a bug"],
    [withCode("40001"), "it was too busy with other writers"],
    [withCode("22012"), "it failed with 22012"],
    [withCode("CERT_REVOKED"), "it failed with CERT_REVOKED"],
    [new Error("Connection terminated unexpectedly"), "the connection was lost"],
    [new Error("Query read timeout"), "the server does not answer"],
    [
      new Error("timeout exceeded when trying to connect, password secret"),
      "all connections are busy",
    ],
    [new Error("The server does not support SSL connections"), "the server offers no encryption"],
  ])("is explained without quoting the driver: %s", (thrown, what) => {
    expect(said(thrown)).toBe(`Cannot use the database ${NAME}: ${what}.`);
  });

  it("names the reason of the operating system if we have no explanation", () => {
    const thrown = Object.assign(new Error("connect EHOSTUNREACH 10.0.0.1:5432"), {
      ...{ code: "EHOSTUNREACH", errno: -113 },
    });
    expect(said(thrown)).toContain("(EHOSTUNREACH)");
  });

  it("is passed on unchanged if it is an error of ours or a bug", () => {
    const ours = [
      new AgnoChatError("HISTORY_CLEARED", "Cleared."),
      new PostgresError("53100", { isUnknown: false }),
      new TypeError("a bug"),
      "no error at all",
    ];
    for (const thrown of ours) expect(postgresError(thrown, { isSent: true })).toBe(thrown);
    expect(storeFailed(NAME, ours[2])).toBe(ours[2]);
  });

  it.each([
    ["the server went down", "57P01", true],
    ["the connection broke", "08006", true],
    ["the connection broke without an answer", "ECONNRESET", true],
    ["the server refused the call", "53100", false],
  ])("may have stored something when %s, once the call was sent", (_, code, isUnknown) => {
    expect(postgresError(withCode(code), { isSent: true })).toMatchObject({ code, isUnknown });
    expect(postgresError(withCode(code), { isSent: false })).toMatchObject({ isUnknown: false });
  });
});

describe("a call that failed", () => {
  const fails = (error: unknown) => async (): Promise<never> => {
    throw error;
  };
  const full = new PostgresError("53100", { isUnknown: false });

  it("is not repeated when that cannot help, or when the failure is a bug", async () => {
    for (const error of [full, new TypeError("a bug")]) {
      await expect(repeatRead(fails(error))).rejects.toBe(error);
      await expect(repeatWrite(fails(error))).rejects.toBe(error);
    }
  });

  it("is repeated when it may have been stored, and marked as a repeat", async () => {
    const seen: boolean[] = [];
    const stored = await repeatWrite(async ({ isRepeat }) => {
      seen.push(isRepeat);
      if (!isRepeat) throw new PostgresError("LOST", { isUnknown: true });
      return "stored";
    });
    expect(stored).toBe("stored");
    expect(seen).toEqual([false, true]);
  });

  it("rejects with a bug unchanged, even after an attempt that may have been stored", async () => {
    const bug = new TypeError("a bug");
    const ended = repeatWrite(async ({ isRepeat }) => {
      throw isRepeat ? bug : new PostgresError("LOST", { isUnknown: true });
    });
    await expect(ended).rejects.toBe(bug);
  });

  it("says that it may be stored or not when that cannot be found out", () => {
    const lost = new PostgresError("LOST", { isUnknown: true });
    expect(storeFailed(NAME, new MaybeStored(lost))).toMatchObject({
      code: "STORE_FAILED",
      message: `Cannot use the database ${NAME}: the connection was lost; it may be stored or not.`,
    });
  });
});
