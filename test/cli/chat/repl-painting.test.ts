import type http from "node:http";
import headless from "@xterm/headless";
import { expect, onTestFinished, test } from "vitest";
import { BIN } from "../../support/cli.js";
import { chunk, event, type Reply } from "../../support/model-server.js";
import { Pty } from "../../support/pty.js";
import { modelServer, startRepl, temporaryFolder } from "../../support/repl-session.js";

interface HeldReply {
  readonly begun: Promise<void>;
  readonly reply: Reply;
  readonly send: (text: string) => void;
  readonly finish: () => void;
}

/** A reply whose pieces the test sends one by one. */
function heldReply(): HeldReply {
  let response: http.ServerResponse | undefined;
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const write = (delta: object, reason: string | null = null) =>
    response?.write(event(chunk(delta, reason)));
  return {
    begun,
    reply(to) {
      response = to.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
      begin();
    },
    send: (content) => write({ content }),
    finish() {
      write({}, "stop");
      response?.end(event("[DONE]"));
    },
  };
}

const PIECE = 4;
const COLUMNS = 40;
const REPLY =
  "Some **bold** words, `code`, 你好，世界 and a [link](https://a.example/b), enough for several rows.\n\n" +
  "```ts\nconst answer = 42;\n```\n\n- last\n";
const DRAWN =
  "Some bold words, code, 你好，世界 and a link (https://a.example/b), enough for several rows. " +
  "╭ ts │ const answer = 42; ╰ • last";
const SPINNER = /[\u2800-\u28ff]/;

/** The same reply in the REPL and from `ask`, each in its own terminal. */
const PLACES = [
  [
    "the REPL",
    async (url: string, quiet = ["-q"]): Promise<Pty> => {
      const args = ["-u", "alice", ...quiet, "--base-url", url];
      const pty = await startRepl({ args, columns: COLUMNS });
      pty.type("go\r");
      return pty;
    },
  ],
  [
    "ask",
    async (url: string, quiet = ["-q"]): Promise<Pty> => {
      const pty = new Pty({
        file: process.execPath,
        args: [BIN, "ask", "go", ...quiet, "--no-stdin", "--base-url", url],
        env: { AGNO_CHAT_HOME: temporaryFolder() },
        columns: COLUMNS,
      });
      onTestFinished(() => pty.close());
      return pty;
    },
  ],
] as const;

/** The letters of a source or a screen, without marks and frames. */
const letters = (text: string): string => text.replace(/[^\p{L}\p{N}]/gu, "");

/** Sends the reply piece by piece, each when the previous one is on the screen. */
async function sendAll(pty: Pty, held: HeldReply): Promise<void> {
  for (let end = PIECE; end < REPLY.length + PIECE; end += PIECE) {
    held.send(REPLY.slice(end - PIECE, end));
    const sent = letters(REPLY.slice(0, end));
    await pty.waitFor((p) => letters(p.screen.join("")).includes(sent));
  }
  held.finish();
}

test.each(PLACES)(
  "in %s each piece is shown before the next arrives, and none is lost",
  async (_, open) => {
    const held = heldReply();
    const server = await modelServer(held.reply);
    const pty = await open(server.url);
    await held.begun;
    await sendAll(pty, held);
    await pty.waitFor((p) => p.screen.join(" ").replace(/\s+/g, " ").includes(DRAWN));
  },
);

test.each(PLACES)("in %s a finished row is never repainted", async (_, open) => {
  const held = heldReply();
  const server = await modelServer(held.reply);
  const pty = await open(server.url);
  await held.begun;
  const begun = pty.raw.length;
  await sendAll(pty, held);
  await pty.waitFor(/• last\n|• last$/);
  const tops = await topsOfPaints(pty.raw, begun);
  expect(tops.length).toBeGreaterThan(REPLY.length / PIECE / 2);
  expect(tops).toEqual([...tops].sort((a, b) => a - b));
  expect(tops.at(-1)).toBeGreaterThan((tops[0] ?? 0) + 3);
});

/** The row where each repaint begins. A repaint writes nothing above its row. */
async function topsOfPaints(raw: string, from: number): Promise<number[]> {
  const terminal = new headless.Terminal({ cols: COLUMNS, rows: 24, allowProposedApi: true });
  const write = (text: string) => new Promise<void>((done) => terminal.write(text, done));
  await write(raw.slice(0, from));
  const tops: number[] = [];
  for (const part of raw.slice(from).split(/(?<=\x1b\[J)/)) {
    await write(part);
    const { baseY, cursorY } = terminal.buffer.active;
    if (part.endsWith("\x1b[J")) tops.push(baseY + cursorY);
  }
  return tops;
}

test.each(PLACES)(
  "in %s a spinner shows after a second without text, and leaves nothing behind",
  async (_, open) => {
    const held = heldReply();
    const server = await modelServer(held.reply);
    const pty = await open(server.url, []);
    await held.begun;
    held.send("Half a");
    await pty.waitFor("Half a");
    await pty.waitFor((p) => !SPINNER.test(p.screen.join("")));
    await pty.waitFor(SPINNER);
    expect(pty.screen.join("\n")).toContain("Half a");
    held.send(" word");
    await pty.waitFor("Half a word");
    held.finish();
    await pty.waitFor((p) => !SPINNER.test(p.everything.join("")));
  },
);
