import { endingSignals } from "../ending-signals.js";
import { isTerminalConnected } from "./gone-terminal.js";

const PASTE_ON = "\x1b[?2004h";
const PASTE_OFF = "\x1b[?2004l";
const CURSOR_ON = "\x1b[?25h";

export interface TerminalStreams {
  readonly input: NodeJS.ReadStream & HasDescriptor;
  readonly output: NodeJS.WriteStream & HasDescriptor;
}

interface HasDescriptor {
  readonly fd: number;
}

/**
 * The terminal modes that the line editor needs. Restores the earlier ones whenever the process
 * ends, even by a crash or a signal.
 */
export class TerminalModes {
  readonly #terminal: TerminalStreams;
  readonly #onContinue: () => void;
  #unregister: (() => void) | undefined;

  /**
   * @param onContinue Called when a stopped process continues. The modes are set again, but the
   * content of the screen is unknown.
   */
  constructor(terminal: TerminalStreams, onContinue: () => void = () => {}) {
    this.#terminal = terminal;
    this.#onContinue = () => {
      // Another process may have changed the modes meanwhile, which libuv does not notice.
      terminal.input.setRawMode(false);
      this.#apply();
      onContinue();
    };
  }

  /** Every key arrives at once and is not echoed; pastes are marked. */
  enter(): void {
    if (this.#unregister === undefined) {
      this.#unregister = whenProcessEnds(() => this.leave());
      process.on("SIGCONT", this.#onContinue);
    }
    this.#apply();
  }

  #apply(): void {
    const { input, output } = this.#terminal;
    input.setRawMode(true);
    output.write(PASTE_ON);
  }

  /** Restores the earlier modes. A second call does nothing. */
  leave(): void {
    if (this.#unregister === undefined) return;
    this.#unregister();
    this.#unregister = undefined;
    process.off("SIGCONT", this.#onContinue);
    const { input, output } = this.#terminal;
    if (isTerminalConnected(output.fd)) output.write(PASTE_OFF + CURSOR_ON);
    if (isTerminalConnected(input.fd)) input.setRawMode(false);
  }
}

const restores = new Set<() => void>();

/**
 * Calls `restore` when the process exits, crashes or is killed by a signal that has no other
 * listener. Returns a function that cancels this.
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
  // Another listener decides whether the process ends; if it does, "exit" follows.
  if (process.listenerCount(signal) > 1) return;
  restoreAll();
  stopListening();
  process.kill(process.pid, signal);
}
