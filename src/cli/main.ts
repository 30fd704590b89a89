import { onAbort } from "../abort.js";
import { AgnoChatError, asAgnoChatError, ERROR_TABLE } from "../errors.js";
import { systemReason } from "../system-errors.js";
import { ENDING_SIGNALS, endingSignals } from "./ending-signals.js";
import type { Io } from "./io.js";
import { Output, type OutputOptions } from "./output.js";
import { runProgram } from "./program.js";
import { closeGoneTerminals, hasHungUp } from "./terminal/gone-terminal.js";

/**
 * Runs the command line: arguments and streams in, exit code out.
 * Exit codes: 0 ok · 1 unexpected · 2 usage · 3 configuration or key · 4 model, network or storage
 * · 5 an expectation failed, also of a schema or a proof · 129 HUP · 130 Ctrl-C · 131 QUIT
 * · 143 TERM.
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const ending = watchForEnd(io);
  try {
    const [first, ...rest] = argv;
    const exitCode =
      first === "__complete"
        ? await (await import("./completion/complete.js")).complete(rest, io)
        : await runProgram(argv, io, ending.signal);
    await flushed(io.stdout, ending.signal);
    if (hasHungUp(io)) ending.hangUp();
    return ending.exitCode ?? exitCode;
  } catch (thrown) {
    if (hasHungUp(io)) ending.hangUp();
    // After Ctrl-C the reason is obvious, but a JSON reader still needs its document.
    const { json, streamJson } = flagsIn(argv);
    if (ending.exitCode === undefined || json || streamJson) report(thrown, argv, io);
    return ending.exitCode ?? exitCodeOf(thrown);
  } finally {
    // A terminal that closes may send its signal late or twice: what ends in order must go on.
    if (ending.exitCode === undefined) ending.unwatch();
  }
}

interface Ending {
  readonly signal: AbortSignal;
  /** Set when a signal asked the process to end, or its output is no longer read. */
  readonly exitCode: number | undefined;
  /** Ends as by SIGHUP, which may come later. */
  hangUp(): void;
  unwatch(): void;
}

function watchForEnd(io: Io): Ending {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const end = (code: number) => {
    exitCode ??= code;
    controller.abort(new AgnoChatError("CANCELLED", "Interrupted."));
  };
  const hangUp = () => end(ENDING_SIGNALS.SIGHUP);
  const listeners = endingSignals.map((name) => [name, () => end(ENDING_SIGNALS[name])] as const);
  const onBrokenOutput = (cause: NodeJS.ErrnoException) => {
    // `agno-chat … | head`: the reader has what it wanted.
    if (cause.code === "EPIPE") return end(0);
    // The terminal is gone; its SIGHUP may arrive later.
    if (cause.code === "EIO" && io.stdout.isTTY) return hangUp();
    end(ERROR_TABLE.FILE_UNWRITABLE.exit);
    io.stderr.write(`agno-chat: Cannot write the output: ${systemReason(cause) ?? cause.code}.\n`);
  };
  for (const [name, listener] of listeners) io.on(name, listener);
  io.on("exit", closeGoneTerminals);
  io.stdout.on("error", onBrokenOutput);
  io.stderr.on("error", () => {}); // there is nowhere left to report it
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    hangUp,
    unwatch() {
      for (const [name, listener] of listeners) io.off(name, listener);
    },
  };
}

/** Resolves once everything so far is written, or `signal` aborts. */
const flushed = (stream: Io["stdout"], signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    onAbort(signal, resolve);
    stream.write("", () => resolve());
  });

const exitCodeOf = (thrown: unknown): number => ERROR_TABLE[asAgnoChatError(thrown).code].exit;

function report(thrown: unknown, argv: readonly string[], io: Io): void {
  new Output(io, flagsIn(argv)).failure(asAgnoChatError(thrown));
}

/** Reads these flags even from arguments that cannot be parsed. */
function flagsIn(argv: readonly string[]): OutputOptions {
  const end = argv.indexOf("--");
  const given = end === -1 ? argv : argv.slice(0, end);
  const has = (...flags: string[]) => flags.some((flag) => given.includes(flag));
  return {
    json: has("--json"),
    streamJson: has("--stream-json"),
    quiet: has("-q", "--quiet"),
    debug: has("--debug"),
  };
}
