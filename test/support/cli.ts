import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { Io } from "../../src/cli/io.js";
import { main } from "../../src/cli/main.js";

export const BIN = fileURLToPath(new URL("../../bin/agno-chat.js", import.meta.url));

type Environment = Readonly<Record<string, string | undefined>>;

export interface CliOptions {
  readonly env?: Environment;
  /** Text on stdin, or a stream, which may stay open. Default: stdin is empty. */
  readonly input?: string | Uint8Array | Readable;
}

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line with its own home folder, which is removed after the test. */
export class Cli {
  readonly home = temporaryFolder();
  readonly #env: Environment;

  constructor(env: Environment = {}) {
    this.#env = { AGNO_CHAT_HOME: this.home, ...env };
  }

  /** Runs it in this process, to its end. */
  run(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    return this.begin(args, options).result;
  }

  /** Like `run`, but returns while it is still running. */
  begin(args: readonly string[], { env, input }: CliOptions = {}): FakeProcess {
    return new FakeProcess(args, { env: { ...this.#env, ...env }, input: input ?? "" });
  }

  /** Runs it with `--json` and returns its document. */
  async json(args: readonly string[], options: CliOptions = {}) {
    return documentIn(await this.run([...args, "--json"], options));
  }

  /** Starts the executable. Its stdin is a pipe; see `CliProcess`. */
  start(args: readonly string[], { env }: Pick<CliOptions, "env"> = {}): CliProcess {
    return new CliProcess(args, { ...this.#env, ...env });
  }

  /** Runs the executable to its end. */
  async spawn(args: readonly string[], { env, input = "" }: CliOptions = {}): Promise<CliResult> {
    const started = this.start(args, { ...(env ? { env } : {}) });
    if (input instanceof Readable) input.pipe(started.child.stdin);
    else started.child.stdin.end(input);
    return started.result;
  }
}

/** The JSON document on stdout. Throws if there is anything else. */
export function documentIn({ stdout }: CliResult) {
  if (!/^[^\n]+\n$/.test(stdout)) throw new Error(`not one document: ${JSON.stringify(stdout)}`);
  return JSON.parse(stdout);
}

/** One run of `main`, with this in place of `process`. */
export class FakeProcess extends EventEmitter implements Io {
  readonly stdin: Readable;
  readonly stdout = new Sink();
  readonly stderr = new Sink();
  readonly env: Environment;
  readonly result: Promise<CliResult>;

  constructor(args: readonly string[], { env, input }: Required<CliOptions>) {
    super();
    this.env = env;
    this.stdin = input instanceof Readable ? input : Readable.from([Buffer.from(input)]);
    this.result = main(args, this).then((code) => ({
      code,
      stdout: this.stdout.text,
      stderr: this.stderr.text,
    }));
  }
}

class Sink extends Writable {
  text = "";

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString("utf8");
    this.emit("text");
    done();
  }

  async shows(text: string): Promise<void> {
    while (!this.text.includes(text)) await once(this, "text");
  }
}

/** The executable in its own process, which is killed after the test if it still runs. */
export class CliProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly result: Promise<CliResult & { readonly signal: NodeJS.Signals | null }>;
  #stdout = "";
  #stderr = "";

  constructor(args: readonly string[], env: Environment) {
    this.child = spawn(process.execPath, [BIN, ...args], { env: { ...process.env, ...env } });
    this.child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
    });
    this.child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.child.stdin.on("error", () => {}); // it may end without having read everything
    this.result = once(this.child, "close").then(([code, signal]) => ({
      code: code ?? -1,
      signal,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }));
    onTestFinished(() => {
      this.child.kill("SIGKILL");
    });
  }

  /** Everything it has written to stdout so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** Resolves when stdout or stderr contains this text. Rejects if the process ends without it. */
  async shows(text: string, where: "stdout" | "stderr" = "stdout"): Promise<void> {
    const seen = () => (where === "stdout" ? this.#stdout : this.#stderr).includes(text);
    while (!seen()) {
      const more = once(this.child[where], "data");
      await Promise.race([more, this.result]);
      // Killed by a signal, it has no exit code.
      if ((this.child.exitCode ?? this.child.signalCode) !== null && !seen())
        throw new Error(`ended without ${text}: ${this.#stdout}${this.#stderr}`);
    }
  }
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "agno-chat-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
