import { expect, test } from "vitest";
import { openMemory } from "../../../src/memory/open-memory.js";
import { assistantMessage, userMessage } from "../../../src/messages.js";
import {
  chunk,
  event,
  recorded,
  status,
  streamed,
  streamedText,
} from "../../support/model-server.js";
import {
  foreignControls,
  modelServer,
  sayAll,
  startRepl,
  temporaryFolder,
} from "../../support/repl-session.js";

/** Every probe of the sanitiser, each on a line of its own. */
const ESC = "\x1b";
const HOSTILE = [
  `${ESC}]52;c;aGk=\x07`,
  `${ESC}]52;c;aGk=${ESC}\\`,
  "\x9d52;c;aGk=\x07",
  `${ESC}]8;;http://evil.example${ESC}\\bank${ESC}]8;;${ESC}\\`,
  `${ESC}]0;root@host\x07`,
  `${ESC}kroot@host${ESC}\\`,
  `${ESC}]1337;File=inline=1:AAAA\x07`,
  `${ESC}[2J${ESC}[H`,
  `${ESC}[1A${ESC}[2K`,
  `${ESC}[?1049h`,
  `${ESC}[?2004l`,
  `${ESC}[6n${ESC}[c${ESC}[!p${ESC}[2 q`,
  "\x9b31m",
  `${ESC}c${ESC}(0${ESC}%G`,
  `${ESC}P$q"p${ESC}\\`,
  `${ESC}Ptmux;${ESC}${ESC}]52;c;aGk=\x07${ESC}\\`,
  `${ESC}_Gf=100;AAAA${ESC}\\${ESC}^secret${ESC}\\${ESC}Xsecret${ESC}\\`,
  "a\rb\b\x07\x00\x7f\x0e\x0f\v\f\x84\x85\x88\x8d",
  "\u202eb\u202c\u2066c\u2069\u061c\u2028\u2029",
].map((probe, index) => `${index} ${probe}|`);

/** Rows a model might forge: the prompts, notes and questions of the program. */
const FORGED = [
  "bob> /clear",
  "alice> rm -rf",
  "  alice: forged",
  "│ bob> x",
  "? Delete (y/N)",
  "> quote",
  "# bob> head",
];

const HOSTILE_TEXT = `${HOSTILE.join("\n")}\n${FORGED.join("\n\n")}\n\`\`\`\nbob> in code\n\`\`\`\n${"bob> ".repeat(40)}`;

/** Rows that begin like a prompt, apart from those that were typed. */
const promptRows = (rows: readonly string[]): string[] =>
  rows.filter((row) => /^\S/.test(row) && !/^alice> ?(\/\w+.*|go|…)?$/.test(row));

test.each([
  ["whole", Number.POSITIVE_INFINITY],
  ["cut at every byte", 1],
])("no control sequence of a hostile reply takes effect, %s", async (_, pieceSize) => {
  const deltas = [...HOSTILE_TEXT].map((character) => chunk({ content: character }));
  const chunks = pieceSize === 1 ? deltas : [chunk({ content: HOSTILE_TEXT })];
  const stream = [...chunks, chunk({}, "stop"), "[DONE]"].map(event).join("");
  const server = await modelServer(
    recorded(stream, { pieceSize: pieceSize === 1 ? 199 : pieceSize }),
  );
  const pty = await startRepl({ server, columns: 60, rows: 50 });
  await sayAll(pty, "go", "/history", "/context", "/export");
  expect(foreignControls(pty.raw)).toEqual([]);
  expect(pty.raw).not.toContain("52;c");
  expect(promptRows(pty.everything)).toEqual([]);
});

test("no control sequence takes effect at 40 columns without colour, and no colour is sent", async () => {
  const server = await modelServer(streamedText(HOSTILE_TEXT));
  const pty = await startRepl({ server, columns: 40, rows: 50, env: { NO_COLOR: "1" } });
  await sayAll(pty, "go", "/history", "/export");
  expect(foreignControls(pty.raw)).toEqual([]);
  expect(pty.raw).not.toMatch(/\x1b\[[1-9][\d;]*m/);
  expect(promptRows(pty.everything)).toEqual([]);
});

/** Each fills 78 columns on some terminal, and fewer as other terminals measure it. */
const FILLINGS = [
  `क${"\u093e".repeat(77)}`,
  `a${"\u1ab0".repeat(77)}`,
  "\u3164".repeat(39),
  "x\u00ad".repeat(39),
  "👨‍👩‍👧".repeat(13),
];

test("text that fills a row cannot put a prompt at the start of the next", async () => {
  const text = FILLINGS.map((filling) => `${filling}bob> Now talking as bob.`).join("\n\n");
  const server = await modelServer(streamedText(text));
  const pty = await startRepl({ server, columns: 80, rows: 50 });
  await sayAll(pty, "go", "/history");
  expect(promptRows(pty.everything)).toEqual([]);
});

test("no control sequence takes effect from an error, a tool's name or result, or pasted input", async () => {
  const hostile = HOSTILE.join(" ");
  const server = await modelServer(
    status(400, { error: { message: hostile } }),
    streamed(
      chunk({
        tool_calls: [
          { index: 0, id: "c", type: "function", function: { name: hostile, arguments: "{}" } },
        ],
      }),
      chunk({}, "tool_calls"),
    ),
    streamedText("done"),
  );
  const pty = await startRepl({
    server,
    rows: 50,
    args: ["-u", "alice", "-q", "--tools", "notes"],
  });
  await sayAll(pty, "go", "go");
  pty.paste(HOSTILE_TEXT);
  await pty.waitFor("pasted");
  pty.press("enter");
  await pty.waitFor((p) => p.screen.filter((row) => row.includes("done")).length === 2);
  pty.paste(`one line ${hostile}`.slice(0, 300).replaceAll("\x1b[201~", ""));
  await pty.waitFor("one line");
  pty.press("ctrl-c");
  await sayAll(pty, "/history");
  expect(foreignControls(pty.raw)).toEqual([]);
});

test("no control sequence takes effect from a history or from names that others stored", async () => {
  const home = temporaryFolder();
  const memory = await openMemory(`sqlite:${home}/chat.db`);
  const user = "bob> x/y";
  await memory.add([userMessage(HOSTILE_TEXT), assistantMessage(HOSTILE_TEXT)], user, {
    sessionId: "s> t",
  });
  await memory.add([userMessage(HOSTILE_TEXT), assistantMessage(HOSTILE_TEXT)], "alice", {
    state: { [HOSTILE_TEXT]: HOSTILE_TEXT },
  });
  await memory.close();
  const pty = await startRepl({ home, rows: 50 });
  await sayAll(pty, "/history", "/context", "/export", "/state", "/users");
  await sayAll(pty, `/user ${user}`, "/session s> t", "/sessions", "/history", "/copy");
  pty.type("/export ");
  pty.paste("no\x07such\x1b[31m/\u202efile.md");
  pty.press("enter");
  await pty.waitFor("Cannot write");
  const withoutCopy = pty.raw.replace(/\x1b\]52;c;[\w+/=]*\x07/, "");
  expect(withoutCopy).not.toBe(pty.raw);
  expect(foreignControls(withoutCopy)).toEqual([]);
  await pty.waitFor(/"bob> x\/y"\/"s> t">$/);
});

test("a name cannot look like another user's prompt", async () => {
  const pty = await startRepl();
  await sayAll(pty, "/new work");
  await pty.waitFor(/alice\/work>$/);
  await sayAll(pty, "/user alice/work");
  await pty.waitFor(/"alice\/work">$/);
});
