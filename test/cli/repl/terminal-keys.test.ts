import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyDecoder } from "../../../src/cli/repl/terminal-keys.js";

/** What the decoder reports when `bytes` arrive cut at the given places. */
function decode(bytes: Buffer, cuts: readonly number[] = []): string[] {
  const seen: string[] = [];
  const decoder = new KeyDecoder({
    key: ({ name, text }) => seen.push(text === "" ? `<${name}>` : text),
    paste: (text) => seen.push(`paste ${JSON.stringify(text)}`),
    idle: () => {},
  });
  const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  for (const [index, place] of places.slice(1).entries())
    decoder.write(bytes.subarray(places[index], place));
  return seen;
}

const SENT = Buffer.from(
  "né\x1bb\x1b\r\n\r\x1b[1;5D\x1b[200~é\r\x1b[A\x1b[20\x03\x1b[201~👩‍👧\x7f\x03",
);

test("tells keys, Alt keys and pastes apart", () => {
  expect(decode(SENT)).toEqual([
    ...["n", "é", "<alt-b>", "<alt-return>", "<enter>", "<return>", "<ctrl-left>"],
    `paste ${JSON.stringify("é\r\x1b[A\x1b[20\x03")}`,
    ...["👩", "\u200d", "👧", "<backspace>", "<ctrl-c>"],
  ]);
});

test("sees the same wherever the terminal cuts what it sends", () => {
  const whole = decode(SENT);
  const cut = fc.nat(SENT.length);
  fc.assert(
    fc.property(fc.array(cut), (cuts) => {
      expect(decode(SENT, cuts)).toEqual(whole);
    }),
  );
});
