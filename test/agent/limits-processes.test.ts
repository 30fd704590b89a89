import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import type { Limits, LimitUse, Memory } from "../../src/memory/memory.js";
import { openMemory } from "../../src/memory/open-memory.js";
import { DemoModel } from "../../src/models/demo.js";
import { temporaryFile } from "../support/memory-file.js";
import { ask, newDatabase } from "../support/postgres.js";
import { postgresUrl } from "../support/postgres-service.js";
import { failsWith } from "./support.js";

const server = (await postgresUrl()) ?? "";
const PROGRAM = fileURLToPath(new URL("../support/limited-runs.mjs", import.meta.url));

/** A process that starts runs of alice at once. */
class Runs {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  constructor(store: string, count: number, limits: Limits, hold = false) {
    const options = [store, `${count}`, JSON.stringify(limits), hold ? "hold" : "no"];
    this.#child = spawn(process.execPath, [PROGRAM, ...options]);
    this.#child.stderr.pipe(process.stderr);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async until(line: string): Promise<void> {
    for (let read = await this.#lines.next(); read.value !== line; read = await this.#lines.next())
      if (read.done) throw new Error(`ended without ${line}`);
  }

  start(): void {
    this.#child.stdin.write("go\n");
  }

  /** How often each line was printed, once all runs have ended. */
  async outcomes(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (let read = await this.#lines.next(); !read.done; read = await this.#lines.next())
      counts[read.value] = (counts[read.value] ?? 0) + 1;
    return counts;
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await once(this.#child, "close");
  }
}

async function raced(store: string, limits: Limits): Promise<Record<string, number>> {
  const processes = [new Runs(store, 100, limits), new Runs(store, 100, limits)];
  await Promise.all(processes.map((each) => each.until("ready")));
  for (const each of processes) each.start();
  const total: Record<string, number> = {};
  for (const counts of await Promise.all(processes.map((each) => each.outcomes())))
    for (const [line, count] of Object.entries(counts)) total[line] = (total[line] ?? 0) + count;
  return total;
}

async function opened(store: string): Promise<Memory> {
  const memory = await openMemory(store);
  onTestFinished(() => memory.close());
  return memory;
}

const usedOf = async (memory: Memory, user: string): Promise<Record<string, number>> => {
  const use: readonly LimitUse[] = (await memory.limits?.use(user, {})) ?? [];
  return Object.fromEntries(use.map(({ limit, used }) => [limit, used]));
};

const STORES = [
  { name: "SQLite file", open: async () => `sqlite:${temporaryFile()}`, missing: false },
  { name: "PostgreSQL database", open: () => newDatabase(server), missing: server === "" },
];

for (const { name, open, missing } of STORES)
  describe.skipIf(missing)(`two processes on one ${name} with limits`, () => {
    it("answer exactly 37 of 200 racing runs, and ask the model for no other", async () => {
      const store = await open();
      const memory = await opened(store);
      await memory.size("alice");
      const total = await raced(store, { requestsPerMinute: 37 });
      expect(total).toEqual({ asked: 37, answered: 37, RATE_LIMITED: 163 });
      expect(await memory.size("alice")).toBe(74);
      expect(await usedOf(memory, "alice")).toMatchObject({
        ...{ requestsPerMinute: 37, runsAtOnce: 0, tokensPerDay: 37 * 5 },
      });
      expect(await usedOf(memory, "bob")).toMatchObject({ requestsPerMinute: 0, tokensPerDay: 0 });
      const bob = new Agent({ model: new DemoModel(), memory, limits: { requestsPerMinute: 37 } });
      await bob.run("hi", { userId: "bob" });
    });

    it("free the runs at once of one that was killed, when their time is over", async () => {
      const store = await open();
      const memory = await opened(store);
      const limits = { runsAtOnce: 1 };
      const holder = new Runs(store, 1, limits, true);
      await holder.until("ready");
      holder.start();
      await holder.until("asked");
      const agent = new Agent({ model: new DemoModel(), memory, limits });
      await failsWith(agent.run("hi", { userId: "alice" }), "BUSY");
      await holder.kill();
      await failsWith(agent.run("hi", { userId: "alice" }), "BUSY");
      const later = await afterHalfAMinute(store);
      const { content } = await new Agent({ model: new DemoModel(), memory: later, limits }).run(
        "My name is Alice",
        { userId: "alice" },
      );
      expect(content).toContain("Alice");
    });
  });

/** The memory of a store as it is 31 seconds later. */
async function afterHalfAMinute(store: string): Promise<Memory> {
  if (store.startsWith("postgres")) {
    await ask(store, "UPDATE agno_chat.runs SET expires_at = expires_at - interval '31 s'");
    return opened(store);
  }
  const { SqliteMemory } = await import("../../src/memory/sqlite.js");
  const memory = new SqliteMemory(store.slice("sqlite:".length), {
    now: () => Date.now() + 31_000,
  });
  onTestFinished(() => memory.close());
  return memory;
}
