import { type IPty, spawn } from "@lydell/node-pty";
import headless from "@xterm/headless";

export interface PtyOptions {
  readonly file: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly columns?: number;
  readonly rows?: number;
}

export interface PtyExit {
  readonly exitCode: number;
  readonly signal?: number | undefined;
}

/** The sequences that a terminal sends for keys that are not a character. */
const KEYS = {
  enter: "\r",
  tab: "\t",
  escape: "\x1b",
  backspace: "\x7f",
  delete: "\x1b[3~",
  up: "\x1b[A",
  down: "\x1b[B",
  right: "\x1b[C",
  left: "\x1b[D",
  home: "\x1b[H",
  end: "\x1b[F",
  "alt-enter": "\x1b\r",
} as const;

export type PtyKey = keyof typeof KEYS | `ctrl-${string}` | `alt-${string}`;

/** How long `waitFor` waits, in milliseconds. It only ends what hangs. */
const TIMEOUT_MS = 60_000;

/** UTF-16 units; less than the kernel buffers for a program that does not read. */
const PIECE_LENGTH = 512;

/** A program in its own terminal, and what a person would see there. */
export class Pty {
  readonly exited: Promise<PtyExit>;
  readonly #pty: IPty;
  readonly #terminal: headless.Terminal;
  readonly #waiting = new Set<() => void>();
  #raw = "";
  #unsent = "";
  #exit: PtyExit | undefined;

  constructor({ file, args = [], env = {}, cwd, columns = 80, rows = 24 }: PtyOptions) {
    const size = { cols: columns, rows };
    this.#terminal = new headless.Terminal({ ...size, allowProposedApi: true, scrollback: 5000 });
    this.#pty = spawn(file, [...args], {
      ...size,
      name: "xterm-256color",
      cwd: cwd ?? process.cwd(),
      env: { PATH: process.env.PATH, HOME: process.env.HOME, LANG: "C.UTF-8", ...env },
    });
    this.#pty.onData((data) => {
      this.#raw += data;
      this.#terminal.write(data, () => this.#changed());
    });
    // The terminal's answers to queries of the program.
    this.#terminal.onData((answer) => this.#pty.write(answer));
    this.exited = new Promise((resolve) => {
      this.#pty.onExit((exit) => {
        // The terminal may still have output to process.
        this.#terminal.write("", () => {
          this.#exit = exit;
          resolve(exit);
          this.#changed();
        });
      });
    });
  }

  /** Everything the program has written so far. */
  get raw(): string {
    return this.#raw;
  }

  /** The visible rows, without trailing spaces and blank rows at the end. */
  get screen(): string[] {
    return this.#rows(this.#terminal.buffer.active.baseY);
  }

  /** Like `screen`, with the scrollback. */
  get everything(): string[] {
    return this.#rows(0);
  }

  /** Counted from 0, from the top left of the screen. */
  get cursor(): { readonly row: number; readonly column: number } {
    const { cursorX, cursorY } = this.#terminal.buffer.active;
    return { row: cursorY, column: cursorX };
  }

  get bracketedPaste(): boolean {
    return this.#terminal.modes.bracketedPasteMode;
  }

  type(text: string): void {
    this.#send(text);
  }

  press(...keys: readonly PtyKey[]): void {
    for (const key of keys) this.#send(sequenceOf(key));
  }

  /** Pastes as a terminal does: bracketed, with carriage returns for line ends. */
  paste(text: string): void {
    this.#send(`\x1b[200~${text.replaceAll("\n", "\r")}\x1b[201~`);
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  kill(signal: NodeJS.Signals): void {
    this.#pty.kill(signal);
  }

  /** Closes the terminal, so that the kernel sends HUP. */
  hangUp(): void {
    (this.#pty as IPty & { destroy(): void }).destroy();
  }

  /** Resolves when a text is on the screen or a function returns true. */
  async waitFor(seen: string | RegExp | ((pty: Pty) => boolean)): Promise<void> {
    const holds = typeof seen === "function" ? () => seen(this) : () => this.#shows(seen);
    if (holds()) return;
    await new Promise<void>((resolve, reject) => {
      const fail = (reason: string): void => {
        stop();
        reject(new Error(`${reason} waiting for ${seen}\n${this.screen.join("\n")}`));
      };
      const check = (): void => {
        if (holds()) {
          stop();
          resolve();
        } else if (this.#exit !== undefined) fail("The program ended,");
      };
      const timeout = setTimeout(() => fail("Timed out"), TIMEOUT_MS);
      const poll = setInterval(check, 20);
      const stop = (): void => {
        clearTimeout(timeout);
        clearInterval(poll);
        this.#waiting.delete(check);
      };
      this.#waiting.add(check);
    });
  }

  /** Ends the program if it still runs. */
  async close(): Promise<void> {
    if (this.#exit === undefined) this.#pty.kill("SIGKILL");
    await this.exited;
    this.#terminal.dispose();
  }

  /**
   * Sends in pieces: a write blocks until the program reads, and the program may be blocked until
   * its output is read.
   */
  #send(text: string): void {
    const isSending = this.#unsent !== "";
    this.#unsent += text;
    if (!isSending) this.#sendPiece();
  }

  #sendPiece(): void {
    if (this.#exit !== undefined) return;
    this.#pty.write(this.#unsent.slice(0, PIECE_LENGTH));
    this.#unsent = this.#unsent.slice(PIECE_LENGTH);
    if (this.#unsent !== "") setImmediate(() => this.#sendPiece());
  }

  #shows(text: string | RegExp): boolean {
    const screen = this.screen.join("\n");
    return typeof text === "string" ? screen.includes(text) : text.test(screen);
  }

  #rows(from: number): string[] {
    const { active } = this.#terminal.buffer;
    const rows: string[] = [];
    for (let row = from; row < active.baseY + this.#terminal.rows; row++)
      rows.push(active.getLine(row)?.translateToString(true).trimEnd() ?? "");
    while (rows.at(-1) === "") rows.pop();
    return rows;
  }

  #changed(): void {
    for (const check of [...this.#waiting]) check();
  }
}

function sequenceOf(key: PtyKey): string {
  if (key in KEYS) return KEYS[key as keyof typeof KEYS];
  const [modifier, letter = ""] = key.split(/-(.*)/s);
  if (modifier === "alt") return `\x1b${letter}`;
  return String.fromCharCode(letter.toUpperCase().charCodeAt(0) & 0x1f);
}
