import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { type UserId, validateUserId } from "../src/ids.js";
import { PostgresMemory } from "../src/memory/postgres.js";
import { initPostgres } from "../src/memory/stores/postgres/admin.js";
import { PostgresStore } from "../src/memory/stores/postgres/postgres-store.js";
import { assistantMessage, type Message, userMessage } from "../src/messages.js";
import { FIRST_ACTIVITY, fillPostgres } from "../test/support/many-users.js";
import { newDatabase } from "../test/support/postgres.js";
import { startPostgres } from "../test/support/postgres-server.js";
import { Wire } from "../test/support/wire.js";
import { median, reportRatio } from "./report.js";

// Loads more and more users into a server of its own, which takes some minutes and 3 GB. The
// figures should stay the same from size to size. Both sides of a ratio are measured in turn, so
// that a busy machine slows both. The server does not wait for its disk.

const SIZES = [10_000, 100_000, 1_000_000];

/** What the network adds to each answer. */
const DELAY_MS = 4;

const ROUNDS = 300;
/** How much of all users is idle. */
const IDLE = 1 / 20;

const TEXT = "x".repeat(200);
const RUN: readonly Message[] = [userMessage(TEXT), assistantMessage(TEXT)];

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const anyOf = (count: number): UserId =>
  validateUserId(`user-${`${Math.floor(Math.random() * count)}`.padStart(8, "0")}`);

/** A run's read and commit for any user, and two bare statements, in milliseconds. */
async function runs(url: string, count: number): Promise<{ own: number; bare: number }> {
  const memory = new PostgresMemory(url);
  const client = new pg.Client(url);
  await client.connect();
  const [own, bare]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    const userId = anyOf(count);
    own.push(
      await timeOf(async () => {
        const { generation } = await memory.read(userId, { limit: 20 });
        await memory.add(RUN, userId, { generation });
      }),
    );
    bare.push(
      await timeOf(async () => {
        await client.query("SELECT 1");
        await client.query("SELECT 1");
      }),
    );
  }
  await client.end();
  await memory.close();
  return { own: median(own), bare: median(bare) };
}

/** Microseconds per user to list all, and milliseconds per idle user to delete those. */
async function lists(url: string, count: number): Promise<{ list: number; prune: number }> {
  const store = new PostgresStore(url);
  const list = await timeOf(async () => {
    for await (const _page of store.usersByActivity());
  });
  const idle = count * IDLE;
  const idleSince = FIRST_ACTIVITY + idle * 1_000;
  const prune = await timeOf(() =>
    store.deleteIdle({ idleSince, except: new Set(), time: Date.now() }),
  );
  await store.close();
  return { list: (list * 1_000) / count, prune: prune / idle };
}

async function measure(server: string, count: number): Promise<void> {
  const url = await newDatabase(server);
  await initPostgres(url);
  const load = await timeOf(() => fillPostgres(url, { count }));
  const wire = await Wire.before(url);
  wire.loses = async () => {
    await sleep(DELAY_MS);
    return false;
  };
  const far = await runs(wire.url, count);
  wire.close();
  const near = await runs(url, count);
  const { list, prune } = await lists(url, count);
  console.log(`${count} users, loaded in ${(load / 1_000).toFixed(0)} s:`);
  reportRatio(
    far.own / far.bare,
    `read and commit / two bare SELECT 1, with ${DELAY_MS} ms to each answer`,
    `${far.own.toFixed(1)} ms`,
  );
  console.log(
    `  ${near.own.toFixed(2)} ms without (two bare SELECT 1: ${near.bare.toFixed(2)} ms)`,
  );
  console.log(
    `  ${list.toFixed(1)} µs a user to list all, ${prune.toFixed(2)} ms to delete one idle`,
  );
}

const server = await startPostgres();
for (const count of SIZES) await measure(server.url, count);
await server.stop();
