import { writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Cli, documentIn, temporaryFolder } from "../../support/cli.js";

const WORDS = [
  ...["user", "users", "whoami", "as", "session", "sessions", "new", "history", "size", "state"],
  ...["clear", "context", "retry", "copy", "edit", "model", "system", "tools", "help", "?", "usr"],
].map((name) => `/${name}`);
const EXPECTATIONS = ["contains", "not-contains", "equals", "matches", "size", "fails", "what"];
const PIECES = [
  "alice",
  "bob",
  "2",
  "USAGE",
  "(",
  "$",
  `\${HOME}`,
  `\${NO}`,
  '"""',
  "#",
  "\u202e",
  "😀",
];

const argument = fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string()), { maxLength: 3 });
const line = fc
  .tuple(
    fc.oneof(
      fc.constantFrom(
        ...WORDS,
        ...EXPECTATIONS.map((word) => `?${word}`),
        '"""',
        "# ",
        "//",
        "Hello",
      ),
      fc.string({ unit: "binary" }),
    ),
    argument,
  )
  .map(([first, rest]) => [first, ...rest].join(" "));

test("any script at all ends with a known error code and the line of every failure", async () => {
  const folder = temporaryFolder();
  const file = path.join(folder, "wild.chat");
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 12 }), async (lines) => {
      writeFileSync(file, lines.join("\n"));
      const args = ["run", file, "--keep-going", "--model", "demo", "--store", "memory:", "--json"];
      const result = await new Cli().run(args, { env: { HOME: "home" } });
      const { ok, failures } = documentIn(result);
      expect(ok).toBe(failures.length === 0);
      expect(result.code === 0).toBe(ok);
      for (const { line, code, message, hint } of failures) {
        expect(code).not.toBe("INTERNAL");
        // A file that is not UTF-8 fails as a whole: "\0" and a line feed look like UTF-16.
        expect(message).toMatch(new RegExp(`/wild\\.chat${line === null ? "" : `:${line}`}: `));
        expect(`${message}${hint}`).not.toContain("undefined");
      }
    }),
    { numRuns: 150, examples: [[["\0", "/user"]]] },
  );
});
