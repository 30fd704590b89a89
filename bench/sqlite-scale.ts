import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { introductionOf } from "../src/cli/chat/introduction.js";
import type { Speaker } from "../src/cli/chat/screen.js";
import { leftOutOf } from "../src/cli/left-out.js";
import { sumHistory } from "../src/cli/sum-history.js";
import { UserExport } from "../src/data/user-export.js";
import { validateSessionId, validateUserId } from "../src/ids.js";
import type { GetMessagesOptions } from "../src/memory/memory.js";
import { SqliteMemory } from "../src/memory/sqlite.js";
import { pagesOfUsers } from "../src/memory/stores/sqlite/rows.js";
import { openMemoryFile } from "../src/memory/stores/sqlite/schema.js";
import { assistantMessage, type Message, userMessage } from "../src/messages.js";
import { FIRST_ACTIVITY, fillSqlite } from "../test/support/many-users.js";
import { median } from "./report.js";

// Prints how long each operation takes on larger and larger files, and how much memory its process
// used at most. Every operation has a process and a copy of the file of its own. Takes some minutes
// and 3 GB of disk.

const SIZES = [10_000, 100_000, 1_000_000];
const ROUNDS = 200;

const TEXT = "x".repeat(200);
const RUN: readonly Message[] = [userMessage(TEXT), assistantMessage(TEXT)];

/** What there is many of, and the operations that could depend on it. */
const SHAPES = {
  messages: ["read", "commit", "size", "export", "prune"],
  sessions: [
    ...(["read", "commit", "size", "start of the chat", "counts", "latest 100"] as const),
    ...(["sessions", "sessionsById", "agno-chat size", "export", "prune"] as const),
  ],
  users: ["read", "commit", "size", "users", "prune"],
} as const;

type Shape = keyof typeof SHAPES;
type Operation = (typeof SHAPES)[Shape][number];

/** One user or session of the file, at random. */
interface Pick {
  readonly userId: string;
  readonly sessionId: string;
}

function pickIn(shape: Shape, size: number): Pick {
  const number = (count: number) => `${Math.floor(Math.random() * count)}`;
  return {
    userId: `user-${(shape === "users" ? number(size) : "0").padStart(8, "0")}`,
    sessionId: shape === "sessions" ? `session-${number(size)}` : "default",
  };
}

function speakerIn(shape: Shape, size: number): Speaker {
  const { userId, sessionId } = pickIn(shape, size);
  return { userId: validateUserId(userId), sessionId: validateSessionId(sessionId) };
}

async function fill(path: string, shape: Shape, size: number): Promise<void> {
  if (shape === "messages") return fillSqlite(path, { count: 1, messages: size });
  if (shape === "sessions") return fillSqlite(path, { count: 1, sessions: size });
  return fillSqlite(path, { count: size });
}

/** The median of some rounds, in milliseconds. */
async function typical(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) times.push(await timeOf(work));
  return median(times);
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const timers: Record<Operation, (path: string, shape: Shape, size: number) => Promise<number>> = {
  async read(path, shape, size) {
    const memory = new SqliteMemory(path);
    // Two limits in turn, since a window that was just read would not be read again.
    let round = 0;
    return typical(async () => {
      const { userId, sessionId } = pickIn(shape, size);
      await memory.read(userId, { sessionId, limit: 20 + (round++ % 2) });
    });
  },
  async commit(path, shape, size) {
    const memory = new SqliteMemory(path);
    return typical(async () => {
      const { userId, sessionId } = pickIn(shape, size);
      await memory.add(RUN, userId, { sessionId });
    });
  },
  async size(path, shape, size) {
    const memory = new SqliteMemory(path);
    return typical(async () => memory.size(pickIn(shape, size).userId));
  },
  /** In a session that is there; in a new one, the counts of the user come on top. */
  async "start of the chat"(path, shape, size) {
    const memory = new SqliteMemory(path);
    return typical(() => introductionOf(memory, speakerIn(shape, size)));
  },
  async counts(path, shape, size) {
    const memory = new SqliteMemory(path);
    return timeOf(() => memory.counts(pickIn(shape, size).userId));
  },
  async "latest 100"(path, shape, size) {
    const memory = new SqliteMemory(path);
    return timeOf(() => memory.sessions(pickIn(shape, size).userId, { limit: 100 }));
  },
  /** What the command does: it reads every message for the sum of the tokens. */
  async "agno-chat size"(path, shape, size) {
    const memory = new SqliteMemory(path);
    const { userId } = speakerIn(shape, size);
    return timeOf(async () => {
      await memory.counts(userId);
      const read = (page: GetMessagesOptions) => memory.getMessages(userId, page);
      await sumHistory(read, { signal: new AbortController().signal });
      const limits = { historyLimit: 200, historyTokens: Infinity };
      await leftOutOf(memory, { userId, sessionId: undefined, ...limits });
    });
  },
  async sessions(path, shape, size) {
    const memory = new SqliteMemory(path);
    return timeOf(() => memory.sessions(pickIn(shape, size).userId));
  },
  async sessionsById(path, shape, size) {
    const memory = new SqliteMemory(path);
    return timeOf(async () => {
      let count = 0;
      for await (const page of memory.sessionsById(pickIn(shape, size).userId))
        count += page.length;
      return count;
    });
  },
  async users(path) {
    const connection = await openMemoryFile(path);
    return timeOf(async () => {
      let count = 0;
      for (const page of pagesOfUsers(connection, { size: 1_000 })) count += page.length;
      return count;
    });
  },
  async export(path, shape, size) {
    const memory = new SqliteMemory(path);
    return timeOf(async () => {
      let characters = 0;
      for await (const piece of new UserExport(memory, pickIn(shape, size).userId, {}))
        characters += piece.length;
      return characters;
    });
  },
  /** Everybody of a small file, every twentieth user of a large one; then the file is closed. */
  async prune(path, shape, size) {
    const idleSince = shape === "users" ? FIRST_ACTIVITY + (size / 20) * 1000 : Number.MAX_VALUE;
    const now = () => Math.min(idleSince, 8e15);
    const memory = new SqliteMemory(path, { now });
    return timeOf(async () => {
      await memory.removeInactive(0, { force: true });
      await memory.close();
    });
  },
};

interface Result {
  readonly ms: number;
  readonly megabytes: number;
}

async function measureHere(operation: Operation, path: string, shape: Shape, size: number) {
  const ms = await timers[operation](path, shape, size);
  const result: Result = { ms, megabytes: process.resourceUsage().maxRSS / 1_024 };
  console.log(JSON.stringify(result));
  process.exit();
}

function measure(operation: Operation, path: string, shape: Shape, size: number): Result {
  const copy = `${path}-${operation.replaceAll(" ", "-")}`;
  copyFileSync(path, copy);
  const args = [process.argv[1] as string, operation, copy, shape, `${size}`];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  for (const end of ["", "-wal", "-shm"]) rmSync(`${copy}${end}`, { force: true });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as Result;
}

const shown = ({ ms, megabytes }: Result): string => {
  const time = ms < 10 ? `${(ms * 1_000).toFixed(0)} µs` : `${ms.toFixed(0)} ms`;
  return `${time}, ${megabytes.toFixed(0)} MB`;
};

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

async function report(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "agno-chat-scale-"));
  try {
    const heads = SIZES.map((size) => size.toLocaleString("en"));
    console.log(row(["of", "operation", ...heads]));
    console.log(row(["---", "---", ...heads.map(() => "---")]));
    for (const shape of Object.keys(SHAPES) as Shape[]) {
      const results = new Map<Operation, string[]>(SHAPES[shape].map((name) => [name, []]));
      for (const size of SIZES) {
        const path = join(folder, `${shape}-${size}.db`);
        await fill(path, shape, size);
        for (const [operation, cells] of results)
          cells.push(shown(measure(operation, path, shape, size)));
        rmSync(path);
      }
      for (const [operation, cells] of results) console.log(row([shape, operation, ...cells]));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const [operation, path, shape, size] = process.argv.slice(2);
if (path === undefined) await report();
else await measureHere(operation as Operation, path, shape as Shape, Number(size));
