import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeUtf8 } from "../../src/cli/utf8.js";
import { Cli } from "../support/cli.js";

const UTF16 = Buffer.from("\ufeffHello\n", "utf16le");

/** Bytes that are not UTF-8, with the expected message. */
const REFUSED: readonly (readonly [what: string, bytes: Uint8Array, said: string])[] = [
  ["Latin-1", Buffer.from("caf\xe9\n", "latin1"), "is not UTF-8 text."],
  ["UTF-16", UTF16, "is UTF-16, not UTF-8."],
  ["UTF-16, big end first", Buffer.from(UTF16).swap16(), "is UTF-16, not UTF-8."],
  ["UTF-16 without a mark", UTF16.subarray(2), "is UTF-16, not UTF-8."],
  ["UTF-16BE without a mark", Buffer.from(UTF16).swap16().subarray(2), "is UTF-16, not UTF-8."],
  ["a character that was cut off", Buffer.from("caf\u00e9").subarray(0, 4), "is not UTF-8 text."],
  ["half a surrogate pair", Buffer.from([0x61, 0xed, 0xa0, 0x80]), "is not UTF-8 text."],
  ["an overlong slash", Buffer.from([0x61, 0xc0, 0xaf]), "is not UTF-8 text."],
];

/** Every way to read bytes from stdin. */
const DOORS: readonly (readonly [args: readonly string[], name: string])[] = [
  [["ask"], "stdin"],
  [["ask", "-"], "stdin"],
  [["ask", "Sum it up"], "stdin"],
  [["-p", "Sum it up"], "stdin"],
  [[], "The script"],
  [["run", "-"], "The script"],
  [["config", "set", "apiKey"], "stdin"],
];

for (const [args, name] of DOORS)
  test.each(REFUSED)(
    `${args.join(" ") || "a pipe"} refuses %s, and keeps none of it`,
    async (...row) => {
      const [, input, said] = row;
      const cli = new Cli({ AGNO_CHAT_MODEL: "demo" });
      const { code, stdout, stderr } = await cli.run(args, { input });
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(new RegExp(`^agno-chat: (stdin: )?${name} ${said} .*iconv[^\\n]*\\n`));
      expect((await cli.json(["users"])).users).toEqual([]);
      expect(await cli.json(["config", "get", "apiKey"])).toMatchObject({ value: null });
    },
  );

test("a UTF-8 byte order mark is dropped", async () => {
  const cli = new Cli({ AGNO_CHAT_MODEL: "demo" });
  await cli.run(["ask"], { input: "\ufeffHello" });
  await cli.run([], { input: "\ufeffHello" });
  const { messages } = await cli.json(["export"]);
  expect([messages[0].content, messages[2].content]).toEqual(["Hello", "Hello"]);
});

test("text is decoded exactly, wherever its bytes are cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: "grapheme" }).filter((text) => !/^.?\0|^\ufeff/.test(text)),
      fc.array(fc.nat(60)),
      async (text, cuts) => {
        let read = "";
        for await (const piece of decodeUtf8(cut(Buffer.from(text), cuts), "It")) read += piece;
        expect(read).toBe(text);
      },
    ),
  );
});

test.each(REFUSED)("%s is refused wherever it is cut", async (_, bytes, said) => {
  for (let at = 0; at <= bytes.length; at += 1)
    await expect(async () => {
      for await (const _piece of decodeUtf8(cut(bytes, [at]), "It"));
    }).rejects.toMatchObject({ code: "INVALID_INPUT", message: `It ${said}` });
});

async function* cut(bytes: Uint8Array, cuts: readonly number[]) {
  const places = [0, ...[...cuts].sort((left, right) => left - right), bytes.length];
  for (const [index, place] of places.entries()) yield bytes.subarray(place, places[index + 1]);
}
