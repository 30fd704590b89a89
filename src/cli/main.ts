import { CommanderError } from "commander";
import { AgnoChatError, asAgnoChatError, ERROR_TABLE } from "../errors.js";
import type { Io } from "./io.js";
import { Output } from "./output.js";
import { runProgram } from "./program.js";

const SIGNAL_EXITS = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * The whole command line: arguments and streams in, exit code out.
 * Exit codes: 0 ok · 1 unexpected · 2 usage · 3 configuration or key · 4 model, network or storage · 5 an expectation
 * failed · 130 Ctrl-C · 143 TERM.
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const ending = watchForTheEnd(io);
  try {
    const exitCode = await runProgram(argv, io, ending.signal);
    return ending.exitCode ?? exitCode;
  } catch (thrown) {
    return ending.exitCode ?? report(thrown, argv, io);
  } finally {
    ending.unwatch();
  }
}

interface Ending {
  readonly signal: AbortSignal;
  /** Set when the process was told to end, or nobody reads its output any more. */
  readonly exitCode: number | undefined;
  unwatch(): void;
}

function watchForTheEnd(io: Io): Ending {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const end = (code: number) => {
    exitCode ??= code;
    controller.abort(new AgnoChatError("CANCELLED", "Interrupted."));
  };
  const onInterrupt = () => end(SIGNAL_EXITS.SIGINT);
  const onTerminate = () => end(SIGNAL_EXITS.SIGTERM);
  const onPipe = (error: NodeJS.ErrnoException) => {
    // `agno-chat … | head`: the reader has what it wanted.
    if (error.code !== "EPIPE") throw error;
    end(0);
  };
  io.on("SIGINT", onInterrupt);
  io.on("SIGTERM", onTerminate);
  io.stdout.on("error", onPipe);
  io.stderr.on("error", onPipe);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    unwatch() {
      io.off("SIGINT", onInterrupt);
      io.off("SIGTERM", onTerminate);
    },
  };
}

function report(thrown: unknown, argv: readonly string[], io: Io): number {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
  const error = thrown instanceof CommanderError ? usageError(thrown) : asAgnoChatError(thrown);
  const has = (...flags: string[]) => flags.some((flag) => argv.includes(flag));
  const options = { json: has("--json"), quiet: has("-q", "--quiet"), debug: has("--debug") };
  new Output(io, options).failure(error);
  return ERROR_TABLE[error.code].exit;
}

/** commander's own words, without its prefix and on one line. */
const usageError = ({ message }: CommanderError): AgnoChatError =>
  new AgnoChatError("USAGE", message.replace(/^error: /, "").replace(/\s+/g, " "), {
    hint: "See agno-chat --help.",
  });
