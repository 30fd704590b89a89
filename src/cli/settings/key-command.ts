import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { AgnoChatError } from "../../errors.js";
import type { Io } from "../io.js";

const LIMIT_MS = 10_000;

/** Characters; no key is nearly as long. */
const LONGEST_OUTPUT = 16_384;

const HAS_GROUPS = process.platform !== "win32";

/** A program that prints the key, such as `pass show openai`, and the environment it runs in. */
export interface KeyCommand {
  readonly command: string;
  readonly env: Io["env"];
}

/** What a stored key that begins with `!` runs; undefined for a key that is one. */
export const commandIn = (key: string): string | undefined =>
  key.startsWith("!") ? key.slice(1).trim() : undefined;

/**
 * The first line that the command prints, trimmed. It runs in a shell, without a terminal; what it prints besides is
 * never shown.
 * @throws {AgnoChatError} `MODEL_NOT_CONFIGURED` when it fails, prints nothing or takes longer than ten seconds; the reason
 *   of the signal when that aborts
 */
export async function keyFrom(
  { command, env }: KeyCommand,
  { signal, limitMs = LIMIT_MS }: KeyFromOptions,
): Promise<string> {
  signal.throwIfAborted();
  if (command === "") throw failure("is missing");
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), limitMs);
  try {
    const { output, status } = await outputOf(start(command, env), [signal, limit.signal]);
    signal.throwIfAborted();
    if (limit.signal.aborted) throw failure(`took longer than ${limitMs / 1000} s`);
    if (status !== 0) throw failure(`failed with ${exitText(status)}`);
    return firstLineOf(output);
  } finally {
    clearTimeout(timer);
  }
}

export interface KeyFromOptions {
  readonly signal: AbortSignal;
  /** Milliseconds. Default: 10,000. */
  readonly limitMs?: number;
}

/** In a process group of its own, so that it can be ended with all that it started. */
const start = (command: string, env: Io["env"]): ChildProcess =>
  spawn(command, {
    shell: true,
    env,
    stdio: ["ignore", "pipe", "ignore"],
    detached: HAS_GROUPS,
    windowsHide: true,
  });

type Status = number | NodeJS.Signals;

async function outputOf(
  child: ChildProcess,
  ends: readonly AbortSignal[],
): Promise<{ output: string; status: Status }> {
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    if (output.length < LONGEST_OUTPUT) output += text;
  });
  const stop = (): void => end(child);
  for (const signal of ends) signal.addEventListener("abort", stop, { once: true });
  try {
    const [code, killedBy] = await once(child, "close");
    return { output, status: code ?? killedBy };
  } catch (cause) {
    throw failure("could not be run", cause);
  } finally {
    for (const signal of ends) signal.removeEventListener("abort", stop);
  }
}

function end(child: ChildProcess): void {
  try {
    if (HAS_GROUPS && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    else child.kill("SIGKILL");
  } catch {
    // It has ended by itself meanwhile.
  }
  // Whatever left the group may hold the pipe open for ever.
  child.stdout?.destroy();
}

function firstLineOf(output: string): string {
  const [line = ""] = output.trim().split(/\r?\n/, 1);
  if (line === "") throw failure("printed nothing");
  return line.trim();
}

const exitText = (status: Status): string =>
  typeof status === "number" ? `exit code ${status}` : status;

/** Without the command: somebody may have written a key into it. */
const failure = (what: string, cause?: unknown): AgnoChatError =>
  new AgnoChatError("MODEL_NOT_CONFIGURED", `The command that prints the key ${what}.`, {
    hint: "Try it in a shell: `agno-chat config get apiKey` shows it, without its first character.",
    cause,
  });
