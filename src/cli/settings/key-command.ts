import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { limitTime, onAbort } from "../../abort.js";
import { AgnoChatError } from "../../errors.js";
import type { Io } from "../io.js";
import type { KeyCommand } from "./stored-key.js";

const LIMIT_MS = 10_000;

/** Characters. Far more than any key. */
const LONGEST_OUTPUT = 16_384;

const HAS_GROUPS = process.platform !== "win32";

/**
 * Runs the command in a shell, without a terminal, and returns the first line it prints, trimmed.
 * The rest of its output is never shown.
 * @throws {AgnoChatError} `MODEL_NOT_CONFIGURED` when it fails, prints nothing or takes longer than
 * ten seconds
 * @throws the reason of `signal` when that aborts
 */
export async function keyFrom(
  { command, env }: KeyCommand,
  { signal, limitMs = LIMIT_MS }: KeyFromOptions,
): Promise<string> {
  signal.throwIfAborted();
  if (command === "") throw failure("is missing");
  const limit = limitTime(signal, limitMs, () => failure(`took longer than ${limitMs / 1000} s`));
  try {
    const { output, status } = await outputOf(start(command, env), limit.signal);
    limit.signal.throwIfAborted();
    if (status !== 0) throw failure(`failed with ${exitText(status)}`);
    return firstLineOf(output);
  } finally {
    limit.end();
  }
}

export interface KeyFromOptions {
  readonly signal: AbortSignal;
  /** Milliseconds. Default: 10,000. */
  readonly limitMs?: number;
}

/** Starts it in its own process group, so that its child processes can be killed with it. */
function start(command: string, env: Io["env"]): ChildProcess {
  // Here, because it loads sockets and more, and most keys are no command.
  const { spawn } = process.getBuiltinModule("node:child_process");
  return spawn(command, {
    shell: true,
    env,
    stdio: ["ignore", "pipe", "ignore"],
    detached: HAS_GROUPS,
    windowsHide: true,
  });
}

type Status = number | NodeJS.Signals;

async function outputOf(
  child: ChildProcess,
  signal: AbortSignal,
): Promise<{ output: string; status: Status }> {
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    if (output.length < LONGEST_OUTPUT) output += text;
  });
  const forget = onAbort(signal, () => end(child));
  try {
    const [code, killedBy] = await once(child, "close");
    return { output, status: code ?? killedBy };
  } catch (cause) {
    throw failure("could not be run", cause);
  } finally {
    forget();
  }
}

function end(child: ChildProcess): void {
  try {
    if (HAS_GROUPS && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    else child.kill("SIGKILL");
  } catch {
    // It has already ended.
  }
  // A process that left the group may still hold the pipe open.
  child.stdout?.destroy();
}

function firstLineOf(output: string): string {
  const [line = ""] = output.trim().split(/\r?\n/, 1);
  if (line === "") throw failure("printed nothing");
  return line.trim();
}

const exitText = (status: Status): string =>
  typeof status === "number" ? `exit code ${status}` : status;

/** Does not repeat the command: it may contain a key. */
const failure = (what: string, cause?: unknown): AgnoChatError =>
  new AgnoChatError("MODEL_NOT_CONFIGURED", `The command that prints the key ${what}.`, {
    hint: "Try it in a shell: `agno-chat config get apiKey` shows it, without its first character.",
    cause,
  });
