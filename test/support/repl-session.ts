import { mkdtempSync, rmSync } from "node:fs";
import type http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { chunk, event, ModelServer, type Reply } from "./model-server.js";
import { Pty, type PtyOptions } from "./pty.js";

export interface ReplOptions extends Pick<PtyOptions, "columns" | "rows" | "env" | "cwd"> {
  readonly args?: readonly string[];
  /** Answers in place of the demo model. */
  readonly server?: ModelServer;
  /** Where everything is kept. Default: a new folder. */
  readonly home?: string;
}

/** A folder for as long as the test runs. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "agno-chat-repl-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A model server for as long as the test runs. */
export async function modelServer(...replies: readonly Reply[]): Promise<ModelServer> {
  const server = await ModelServer.start(replies);
  onTestFinished(() => server.close());
  return server;
}

/** The REPL in a terminal for as long as the test runs, alice talking and the welcome hidden unless the test says else. */
export function openRepl(options: ReplOptions = {}): Pty {
  const { args = ["-u", "alice", "-q"], server, env, home = temporaryFolder(), ...place } = options;
  const model = server === undefined ? [] : ["--base-url", server.url];
  const command = [process.execPath, path.resolve("bin/agno-chat.js"), ...model, ...args];
  const pty = new Pty({
    // A pty names its own TERM, whatever the environment says.
    file: "/usr/bin/env",
    args: [`TERM=${env?.TERM ?? "xterm-256color"}`, ...command],
    env: { AGNO_CHAT_HOME: home, ...env },
    ...place,
  });
  onTestFinished(() => pty.close());
  return pty;
}

/** As `openRepl`, once its prompt is there. */
export async function startRepl(options: ReplOptions = {}): Promise<Pty> {
  const pty = openRepl(options);
  await pty.waitFor(/> *$/);
  return pty;
}

/** The screen with every duration as `0.0 s`, counts of tokens and bytes as 9, and every time of day as `00:00`. */
export const shown = (pty: Pty): string =>
  pty.screen
    .join("\n")
    .replace(/\d+\.\d s\b/g, "0.0 s")
    .replace(/\(\d+ ms\)/g, "(0 ms)")
    .replace(/\d+ (tokens|bytes)/g, "9 $1")
    .replace(/\d{4}-\d\d-\d\d([T ])\d\d:\d\d(:\d\d\.\d{3}Z)?/g, "2026-01-01$100:00");

/** Resolves once the whole screen is these rows. */
export const screenIs = (pty: Pty, rows: readonly string[]): Promise<void> =>
  pty.waitFor(
    Object.assign((p: Pty) => shown(p) === rows.join("\n"), {
      toString: () => `\n${rows.join("\n")}\nbut it is`,
    }),
  );

/** Sends lines one by one, each once the one before is answered: a message by its reply, a command by a row. */
export async function sayAll(pty: Pty, ...lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    const before = pty.raw.length;
    pty.type(`${line}\r`);
    await pty.waitFor((p) => isAnswered(p.raw.slice(before), line) && isIdle(p));
  }
}

function isAnswered(raw: string, line: string): boolean {
  const [plain, painted] = ["\r", "\x1b[0m\r"].map((end) => `${line.slice(-10)}${end}`);
  const sent = raw.includes(painted ?? "") ? (painted ?? "") : (plain ?? "");
  const at = raw.lastIndexOf(sent);
  if (at < 0) return false;
  const isCommand = /^\/(?!as |retry)[a-z]+( |$)/.test(line);
  const answer = raw.slice(at + sent.length);
  // The row after a reply, or a failure, which is red.
  return isCommand ? /[^\s]\r+\n/.test(answer) : /\d s\S*\r+\n|\x1b\[31m/.test(answer);
}

/** Nothing typed, and no spinner. */
function isIdle({ screen, cursor }: Pty): boolean {
  const prompt = screen.at(-1) ?? "";
  return prompt.endsWith(">") && cursor.column === prompt.length + 1;
}

export interface GatedReply {
  readonly reply: Reply;
  /** Resolves once the first part is on its way. */
  readonly begun: Promise<void>;
  /** Lets the rest come. */
  open(): void;
}

/** A reply that says `first`, waits for the test, and says `rest`. */
export function gatedReply(first: string, rest: string): GatedReply {
  let open = (): void => {};
  let begin = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const reply = async (response: http.ServerResponse): Promise<void> => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(event(chunk({ content: first })));
    begin();
    await opened;
    response.end([chunk({ content: rest }), chunk({}, "stop"), "[DONE]"].map(event).join(""));
  };
  return { reply, begun, open };
}

/** What the program itself may send besides text: colours, showing and moving the cursor, erasing below, pastes marked. */
const OWN_SEQUENCES = /\x1b\[(?:[\d;]*m|\?25[hl]|\?2004[hl]|C|J|1K|\d+A)/g;

/** The sequences and controls in `raw` that the program does not send by itself. */
export const foreignControls = (raw: string): string[] =>
  raw
    .replace(OWN_SEQUENCES, "")
    .match(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u2028-\u202e\u2066-\u2069]/g) ?? [];
