import { execFile } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { type BuildOptions, build } from "esbuild";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bundleOptions } from "../../../scripts/build.mjs";
import { InputFiles } from "../../../src/cli/terminal/input-files.js";
import { InputHistory, type InputStore } from "../../../src/cli/terminal/input-history.js";
import { validateUserId } from "../../../src/ids.js";
import { isUserId } from "../../support/user-ids.js";

const ALICE = validateUserId("alice");

let folder: string;

beforeEach(() => {
  folder = path.join(mkdtempSync(path.join(tmpdir(), "input-")), "input");
});
afterEach(() => rmSync(path.dirname(folder), { recursive: true, force: true }));

/** The entries as a later run of the program reads them. */
const stored = (userId = "alice"): readonly string[] =>
  new InputHistory(validateUserId(userId), new InputFiles(folder)).entries();

function add(userId: string, ...texts: readonly string[]): InputHistory {
  const history = new InputHistory(validateUserId(userId), new InputFiles(folder));
  for (const text of texts) history.add(text);
  return history;
}

const onlyFile = (): string => path.join(folder, readdirSync(folder)[0] ?? "");

test("any text comes back exactly, in order, in a later run", () => {
  const wild = fc.string({ unit: fc.integer({ max: 0xffff }).map((c) => String.fromCharCode(c)) });
  fc.assert(
    fc.property(fc.uniqueArray(wild), (texts) => {
      const kept = texts.filter((text) => text.trim() !== "" && !text.startsWith(" "));
      expect(add("alice", ...texts).entries()).toEqual(kept);
      expect(stored()).toEqual(kept);
      new InputHistory(ALICE, new InputFiles(folder)).clear();
    }),
    { numRuns: 30 },
  );
});

test("no user ever sees another's entries, however similar or hostile the ids", () => {
  const ids = ["a", "A", "../a", "a/b", "é", "É", "CON", ".", "👩".repeat(255), "ﬁ", "fi"];
  for (const id of ids) add(id, `of ${JSON.stringify(id)}`);
  for (const id of ids) expect(stored(id)).toEqual([`of ${JSON.stringify(id)}`]);
  expect(new Set(readdirSync(folder).map((name) => name.toLowerCase())).size).toBe(ids.length);
  expect(readdirSync(path.dirname(folder))).toEqual(["input"]);
});

test("two ids never share a file: what UTF-8 would make equal is no user id", () => {
  for (const half of ["a\ud800", "a\udfff", "a\ufffd"])
    expect(() => validateUserId(half)).toThrow(
      expect.objectContaining({ code: "INVALID_USER_ID" }),
    );
  const strange = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }));
  // In one byte for each character, the first two would be equal.
  const ids = ["a", "š", ...fc.sample(strange, { numRuns: 200, seed: 1 }).filter(isUserId)];
  for (const id of ids) add(id, id);
  expect(new Set(ids).size).toBeGreaterThan(50);
  expect(readdirSync(folder)).toHaveLength(new Set(ids).size);
});

test("only the process's owner can read it, and no file name reveals the user", () => {
  add("alice", "secret");
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(onlyFile()).mode & 0o777).toBe(0o600);
  expect(onlyFile()).not.toContain("alice");
});

test("a message with a leading space is not kept, and one repeated at once is kept once", () => {
  add("alice", " secret", "one", "one", "two", "one");
  add("alice", "one");
  expect(stored()).toEqual(["one", "two", "one"]);
});

test("the latest 1,000 are kept, in the file too", () => {
  const history = add("alice", ...Array.from({ length: 1005 }, (_, n) => `message ${n}`));
  expect(history.entries()).toHaveLength(1000);
  expect(stored()[0]).toBe("message 5");
  expect(new InputFiles(folder).read(ALICE)).toHaveLength(1000);
  const shortened = statSync(onlyFile());
  expect(stored().at(-1)).toBe("message 1004");
  expect(statSync(onlyFile()).ino).toBe(shortened.ino);
  expect(readdirSync(folder)).toHaveLength(1);
});

test("clear also removes the copy left by a process killed while shortening the file", () => {
  add("bob", "kept");
  const history = add("alice", "one");
  const [mine = ""] = readdirSync(folder).filter((name) =>
    readFileSync(path.join(folder, name), "utf8").includes("one"),
  );
  writeFileSync(path.join(folder, `${mine}.4711`), '"one"\n');
  history.clear();
  expect(readdirSync(folder)).toHaveLength(1);
  expect(stored("bob")).toEqual(["kept"]);
});

test("an incomplete or foreign line costs no other entry", () => {
  add("alice", "one");
  appendFileSync(onlyFile(), '"to');
  add("alice", "two");
  appendFileSync(onlyFile(), '{"a":1}\n"thr');
  expect(stored()).toEqual(["one", "two"]);
});

test("clear removes the file, and only that user's", () => {
  add("bob", "kept");
  const history = add("alice", "one");
  history.clear();
  expect(history.entries()).toEqual([]);
  expect(readdirSync(folder)).toHaveLength(1);
  expect([stored(), stored("bob")]).toEqual([[], ["kept"]]);
});

test("without a store nothing is written, but entries are still there for Up", () => {
  const history = new InputHistory(ALICE);
  history.add("one");
  history.clear();
  history.add("two");
  expect(history.entries()).toEqual(["two"]);
});

test("nothing is read from the store before it is needed, and then only once", () => {
  const reads: string[] = [];
  const store: InputStore = {
    read: (userId) => [String(reads.push(userId))],
    append: () => {},
    remove: () => {},
  };
  const history = new InputHistory(ALICE, store);
  expect(reads).toEqual([]);
  expect([history.entries(), history.entries()]).toEqual([["1"], ["1"]]);
});

test("an unusable folder is reported once, and input is still remembered", () => {
  mkdirSync(path.dirname(folder), { recursive: true });
  writeFileSync(folder, "a file, not a folder");
  const history = new InputHistory(ALICE, new InputFiles(folder));
  expect(() => history.load()).toThrow(expect.objectContaining({ code: "FILE_UNREADABLE" }));
  history.add("one");
  expect(history.entries()).toEqual(["one"]);
});

test("several processes may append at once without losing an entry", async () => {
  const program = path.join(path.dirname(folder), "append.mjs");
  await build({
    ...(bundleOptions as BuildOptions),
    stdin: {
      contents: `
        import { InputFiles } from "./src/cli/terminal/input-files.ts";
        const files = new InputFiles(process.argv[2]);
        for (let n = 0; n < 100; n++) files.append("alice", process.argv[3] + n);`,
      resolveDir: process.cwd(),
      loader: "ts",
    },
    outfile: program,
  });
  const run = promisify(execFile);
  await Promise.all(["a", "b", "c"].map((name) => run(process.execPath, [program, folder, name])));
  for (const name of ["a", "b", "c"])
    expect(stored().filter((text) => text.startsWith(name))).toEqual(
      Array.from({ length: 100 }, (_, n) => `${name}${n}`),
    );
});
