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

/** What the terminal sends for a key. Any other key is one character, sent as it is. */
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

/** Milliseconds a screen may take before a test gives up on it. */
const PATIENCE = 15_000;

/** UTF-16 units, less than the kernel holds for a program that is not reading. */
const PIECE = 512;

/** A program in a terminal of its own, and what a person would see there. */
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
    // What the program asks the terminal.
    this.#terminal.onData((answer) => this.#pty.write(answer));
    this.exited = new Promise((resolve) => {
      this.#pty.onExit((exit) => {
        // Its last words are still on their way to the screen.
        this.#terminal.write("", () => {
          this.#exit = exit;
          resolve(exit);
          this.#changed();
        });
      });
    });
  }

  /** All bytes the program wrote so far, as text. */
  get raw(): string {
    return this.#raw;
  }

  /** The rows a person sees, without blanks at their ends and blank rows at the end. */
  get screen(): string[] {
    return this.#rows(this.#terminal.buffer.active.baseY);
  }

  /** As `screen`, with all that was scrolled away. */
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

  /** As terminals paste: marked, line ends as carriage returns. */
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

  /** The window is shut: the terminal is gone, and the kernel sends HUP. */
  hangUp(): void {
    (this.#pty as IPty & { destroy(): void }).destroy();
  }

  /** Resolves once `seen` holds: a text on the screen, or whatever a function looks at. */
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
      const patience = setTimeout(() => fail("Gave up"), PATIENCE);
      const poll = setInterval(check, 20);
      const stop = (): void => {
        clearTimeout(patience);
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

  /** In pieces, since a write blocks while the program does not read, and it may wait for its output to be read. */
  #send(text: string): void {
    const isSending = this.#unsent !== "";
    this.#unsent += text;
    if (!isSending) this.#sendPiece();
  }

  #sendPiece(): void {
    if (this.#exit !== undefined) return;
    this.#pty.write(this.#unsent.slice(0, PIECE));
    this.#unsent = this.#unsent.slice(PIECE);
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
