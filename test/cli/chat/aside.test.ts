import fc from "fast-check";
import { expect, test } from "vitest";
import { asideName, parseAside } from "../../../src/cli/chat/chat-input.js";
import { validateUserId } from "../../../src/ids.js";
import { Cli } from "../../support/cli.js";
import { sayAll, startRepl } from "../../support/repl-session.js";
import { isUserId } from "../../support/user-ids.js";

test("/as takes a user id with spaces in quotes, and talks to nobody else", async () => {
  const input = `/as "mary ann" My name is Ann\n/users\n`;
  const { code, stdout } = await new Cli().run(["-m", "demo", "-u", "alice"], { input });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ {2}mary ann: 2 messages in 1 session\n\* alice: nothing yet\n$/m);
});

test("/as reads back every user id as its name is written, and the message after it", () => {
  const strange = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }));
  const examples = ["mary ann", "a\u3000b", '"', '"bob"', 'a"b', "a\\ b", "\\"].map((id) => [id]);
  fc.assert(
    fc.property(strange.filter(isUserId), (id) => {
      const userId = validateUserId(id);
      expect(parseAside(`${asideName(id)}  a "word" `)).toEqual({ userId, message: 'a "word" ' });
    }),
    { examples: examples as [string][] },
  );
});

test.each(['"mary ann Hello', '"mary ann"Hello', '"a\\x" Hello', '"mary ann"', "bob", ""])(
  "/as %s names nobody, or says nothing",
  (argument) => expect(parseAside(argument)).toBeUndefined(),
);

test("Tab after /as offers a user id with spaces in quotes", async () => {
  const pty = await startRepl();
  await sayAll(pty, '/as "mary ann" Hello');
  for (const typed of ["/as m", '/as "m']) {
    pty.type(`${typed}\t`);
    await pty.waitFor(/alice> \/as "mary ann"$/);
    pty.press("ctrl-c");
    await pty.waitFor(/alice>$/);
  }
});
