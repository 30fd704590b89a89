import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect } from "vitest";
import type { Memory } from "../../src/memory/memory.js";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Inside the repository, so that the bundle finds its external packages. */
const BUNDLE = here("../../node_modules/.cache/agno-chat/memory-writer.mjs");

export const buildWriter = () =>
  build({
    entryPoints: [here("./memory-writer.ts")],
    outfile: BUNDLE,
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "error",
  });

export interface WriterOptions {
  /** As `openMemory` takes it. */
  readonly store: string;
  readonly user: string;
  readonly name: string;
  readonly count?: number;
}

/** A process that stores runs of two messages once it is started. */
export class Writer {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #errors = "";
  acknowledged = 0;

  constructor({ store, user, name, count = Number.POSITIVE_INFINITY }: WriterOptions) {
    this.#child = spawn(process.execPath, [BUNDLE, store, user, name, `${count}`]);
    this.#child.stderr.on("data", (chunk: Buffer) => {
      this.#errors += chunk.toString();
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async ready(): Promise<void> {
    await this.#lines.next();
  }

  start(): void {
    this.#child.stdin.write("go\n");
  }

  /** Waits until this many runs are acknowledged or the process ends. */
  async waitForRuns(count = Number.POSITIVE_INFINITY): Promise<void> {
    while (this.acknowledged < count && !(await this.#lines.next()).done) this.acknowledged += 1;
    if (this.#errors !== "") throw new Error(this.#errors);
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    const closed = once(this.#child, "close");
    await this.waitForRuns();
    await closed;
  }
}

/** Runs all writers at once and waits until each has ended. */
export async function runTogether(writers: readonly Writer[]): Promise<void> {
  await Promise.all(writers.map((writer) => writer.ready()));
  for (const writer of writers) writer.start();
  await Promise.all(writers.map((writer) => writer.waitForRuns()));
}

/** Counts each writer's runs in a user's history. Fails if one is incomplete or out of order. */
export async function runsOf(memory: Memory, user: string): Promise<Map<string, number>> {
  const messages = await memory.getMessages(user);
  const runs = new Map<string, number>();
  for (let index = 0; index < messages.length; index += 2) {
    const [question, answer] = messages.slice(index, index + 2);
    const [name = "", number] = question?.content.split(/[ ?]/) ?? [];
    expect(answer?.content).toBe(`${name} ${number}!`);
    expect(answer?.runId).toBe(question?.runId);
    expect(Number(number)).toBe(runs.get(name) ?? 0);
    runs.set(name, Number(number) + 1);
  }
  return runs;
}
