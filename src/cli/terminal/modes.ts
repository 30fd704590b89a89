import { endingSignals } from "../ending-signals.js";
import { isTerminalThere } from "./gone-terminal.js";

const PASTE_ON = "\x1b[?2004h";
const PASTE_OFF = "\x1b[?2004l";
const CURSOR_ON = "\x1b[?25h";

export interface Terminal {
  readonly input: NodeJS.ReadStream & OfTerminal;
  readonly output: NodeJS.WriteStream & OfTerminal;
}

interface OfTerminal {
  readonly fd: number;
}

/** The modes of a terminal that the line editor needs, given back whenever the process ends, also by a crash or signal. */
export class TerminalModes {
  readonly #terminal: Terminal;
  readonly #onContinue: () => void;
  #letGo: (() => void) | undefined;

  /** @param onContinue The process was stopped, and goes on: the modes are there again, the screen may hold anything. */
  constructor(terminal: Terminal, onContinue: () => void = () => {}) {
    this.#terminal = terminal;
    this.#onContinue = () => {
      // Whoever had the terminal meanwhile left it in modes of their own, which libuv does not know.
      terminal.input.setRawMode(false);
      this.#take();
      onContinue();
    };
  }

  /** Every key at once and unechoed, pastes marked as such. */
  enter(): void {
    if (this.#letGo === undefined) {
      this.#letGo = whenProcessEnds(() => this.leave());
      process.on("SIGCONT", this.#onContinue);
    }
    this.#take();
  }

  #take(): void {
    const { input, output } = this.#terminal;
    input.setRawMode(true);
    output.write(PASTE_ON);
  }

  /** As they were. A second call does nothing. */
  leave(): void {
    if (this.#letGo === undefined) return;
    this.#letGo();
    this.#letGo = undefined;
    process.off("SIGCONT", this.#onContinue);
    const { input, output } = this.#terminal;
    if (isTerminalThere(output.fd)) output.write(PASTE_OFF + CURSOR_ON);
    if (isTerminalThere(input.fd)) input.setRawMode(false);
  }
}

const restores = new Set<() => void>();

/**
 * Calls `restore` when the process exits, crashes, or is about to die of a signal nobody else handles.
 * @returns takes the promise back
 */
export function whenProcessEnds(restore: () => void): () => void {
  if (restores.size === 0) listen();
  restores.add(restore);
  return () => {
    if (restores.delete(restore) && restores.size === 0) stopListening();
  };
}

function listen(): void {
  process.on("exit", restoreAll);
  for (const signal of endingSignals) process.on(signal, onSignal);
}

function stopListening(): void {
  process.off("exit", restoreAll);
  for (const signal of endingSignals) process.off(signal, onSignal);
}

function restoreAll(): void {
  for (const restore of restores) restore();
}

function onSignal(signal: NodeJS.Signals): void {
  // Another listener decides whether this is the end; if it is, "exit" follows.
  if (process.listenerCount(signal) > 1) return;
  restoreAll();
  stopListening();
  process.kill(process.pid, signal);
}
