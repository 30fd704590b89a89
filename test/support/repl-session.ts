import { mkdtempSync, rmSync } from "node:fs";
import type http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { chunk, event, ModelServer, type Reply } from "./model-server.js";
import { Pty, type PtyOptions } from "./pty.js";

export interface ReplOptions extends Pick<PtyOptions, "columns" | "rows" | "env" | "cwd"> {
  readonly args?: readonly string[];
  /** Serves the model. Default: the demo model. */
  readonly server?: ModelServer;
  /** The home folder. Default: a new one. */
  readonly home?: string;
}

/** A new folder, which is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "agno-chat-repl-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A model server, which is closed after the test. */
export async function modelServer(...replies: readonly Reply[]): Promise<ModelServer> {
  const server = await ModelServer.start(replies);
  onTestFinished(() => server.close());
  return server;
}

/** The REPL in a terminal, closed after the test. Default: user alice, without the welcome. */
export function openRepl(options: ReplOptions = {}): Pty {
  const { args = ["-u", "alice", "-q"], server, env, home = temporaryFolder(), ...rest } = options;
  const model = server === undefined ? [] : ["--base-url", server.url];
  const command = [process.execPath, path.resolve("bin/agno-chat.js"), ...model, ...args];
  const pty = new Pty({
    // A pty sets its own TERM, whatever the environment says.
    file: "/usr/bin/env",
    args: [`TERM=${env?.TERM ?? "xterm-256color"}`, ...command],
    env: { AGNO_CHAT_HOME: home, ...env },
    ...rest,
  });
  onTestFinished(() => pty.close());
  return pty;
}

/** Like `openRepl`, but waits for the prompt. */
export async function startRepl(options: ReplOptions = {}): Promise<Pty> {
  const pty = openRepl(options);
  await pty.waitFor(/> *$/);
  return pty;
}

/** The screen with every duration, count of tokens or bytes, and time replaced by a fixed one. */
export const shown = (pty: Pty): string =>
  pty.screen
    .join("\n")
    .replace(/\d+\.\d s\b/g, "0.0 s")
    .replace(/\(\d+ ms\)/g, "(0 ms)")
    .replace(/\d+ (tokens in|input|output|out|bytes)\b/g, "9 $1")
    .replace(/\d{4}-\d\d-\d\d([T ])\d\d:\d\d(:\d\d\.\d{3}Z)?/g, "2026-01-01$100:00");

/** Resolves when the whole screen equals these rows. */
export const screenIs = (pty: Pty, rows: readonly string[]): Promise<void> =>
  pty.waitFor(
    Object.assign((p: Pty) => shown(p) === rows.join("\n"), {
      toString: () => `\n${rows.join("\n")}\nbut it is`,
    }),
  );

/** Sends lines one by one. Waits for the reply to each message and the output of each command. */
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
  // The row after a reply, or a failure in red.
  return isCommand ? /[^\s]\r+\n/.test(answer) : /\d s\S*\r+\n|\x1b\[31m/.test(answer);
}

/** True if nothing is typed and there is no spinner. */
function isIdle({ screen, cursor }: Pty): boolean {
  const prompt = screen.at(-1) ?? "";
  return prompt.endsWith(">") && cursor.column === prompt.length + 1;
}

export interface GatedReply {
  readonly reply: Reply;
  /** Resolves when the first part is sent. */
  readonly begun: Promise<void>;
  /** Sends the rest. */
  open(): void;
}

/** A reply that sends `first`, waits for `open`, and sends `rest`. */
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

/** The control sequences the program sends: colours, cursor, erasing below, bracketed paste. */
const OWN_SEQUENCES = /\x1b\[(?:[\d;]*m|\?25[hl]|\?2004[hl]|C|J|1K|\d+A)/g;

/** The control sequences in `raw` that the program never sends itself. */
export const foreignControls = (raw: string): string[] =>
  raw
    .replace(OWN_SEQUENCES, "")
    .match(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u2028-\u202e\u2066-\u2069]/g) ?? [];
