import { constants } from "node:os";
import { describe, expect, it } from "vitest";
import type { AgnoChatError } from "../../src/errors.js";
import { sqliteError, storeFailed } from "../../src/memory/stores/sqlite/sqlite-errors.js";

const FILE = "/home/alice/chat.db";

/** The message for a person when the driver throws this. */
const said = (thrown: unknown): string =>
  (storeFailed(FILE, sqliteError(thrown)) as AgnoChatError).message;

const driverError = (fields: object, message = "a secret"): Error =>
  Object.assign(new Error(message), fields);

describe("a failure of SQLite", () => {
  it.each([
    ["with a known code", driverError({ errcode: 5 }), "it is locked"],
    ["with an extended code", driverError({ errcode: 8 | (4 << 8) }), "it is read-only here"],
    [
      "with a code that has no explanation",
      driverError({ errcode: 7 }),
      "SQLite failed with result code 7",
    ],
    [
      "of a full disk that SQLite calls an I/O error",
      driverError({ errcode: 10, systemErrno: constants.errno.ENOSPC }),
      "the disk is full",
    ],
    ["without room for the index of its log", driverError({ errcode: 4874 }), "the disk is full"],
    [
      "without room, as the other driver says it",
      driverError({ errcode: 10, sqliteExtendedCode: 4874 }),
      "the disk is full",
    ],
    ["of a disk", driverError({ errcode: 10 }), "reading or writing it failed"],
    ["that names no code", driverError({}, "database is locked"), "it is locked"],
    ["that names neither", driverError({}, "no such column: secret"), "it is damaged"],
    ["over a number out of range", new RangeError("a secret"), "it is damaged"],
  ])("%s is explained without quoting the driver", (_, thrown, what) => {
    expect(said(thrown)).toBe(`Cannot use the memory file "${FILE}": ${what}.`);
  });

  it("is passed on unchanged if it is a bug", () => {
    const bug = new TypeError("a bug");
    expect(sqliteError(bug)).toBe(bug);
    expect(storeFailed(FILE, bug)).toBe(bug);
  });
});
