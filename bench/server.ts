import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { Agent } from "../src/agent/agent.js";
import { InMemory } from "../src/memory/in-memory.js";
import type { Model, ModelEvent } from "../src/models/model.js";
import { createServer } from "../src/server/index.js";
import { isShort, median, reportRatio } from "./report.js";

const CONNECTIONS = 100;
const PER_ROUND = isShort ? 3000 : 10_000;
const ROUNDS = isShort ? 3 : 9;
const LONG_RUN = 200_000;
const USERS = 100;
const KEPT_PER_USER = 20;

const model: Model = {
  name: "instant",
  async *stream(): AsyncGenerator<ModelEvent> {
    yield { type: "text-delta", text: "Hello" };
    yield { type: "finish", reason: "stop" };
  },
};

type Kind = "bare" | "a run" | "agno-chat";

/** Each server runs in its own process; all are measured in turn, so a busy machine slows all. */
async function compare(): Promise<void> {
  const servers = { bare: await start("bare"), run: await start("a run") };
  const ours = await start("agno-chat");
  for (const server of [servers.bare, servers.run, ours]) await send(server, PER_ROUND);
  const rounds: Record<Kind, Figures>[] = [];
  for (let round = 1; round <= ROUNDS; round++)
    rounds.push({
      bare: await measure(servers.bare),
      "a run": await measure(servers.run),
      "agno-chat": await measure(ours),
    });
  report(rounds, "bare", "POST /chat / a bare node:http");
  report(rounds, "a run", "POST /chat / a bare node:http that runs the agent");
  if (!isShort) await watchMemory(ours);
  for (const { child } of [...Object.values(servers), ours]) child.disconnect();
}

interface Figures {
  /** Requests per second. */
  readonly rate: number;
  /** Microseconds of CPU time per request. */
  readonly cpu: number;
}

async function measure(server: Started): Promise<Figures> {
  const before = await query<number>(server, "cpu");
  const started = performance.now();
  await send(server, PER_ROUND);
  const rate = PER_ROUND / ((performance.now() - started) / 1000);
  const cpu = ((await query<number>(server, "cpu")) - before) / PER_ROUND;
  return { rate, cpu };
}

/** Reports CPU times, which other programs disturb least, and beside them the rates. */
function report(rounds: readonly Record<Kind, Figures>[], kind: Kind, what: string): void {
  const of = (name: Kind, key: keyof Figures) => rounds.map((round) => round[name][key]);
  const ratios = (key: keyof Figures) =>
    rounds.map((round) => round["agno-chat"][key] / round[kind][key]);
  const least = [of("agno-chat", "cpu"), of(kind, "cpu")].map((all) => Math.min(...all));
  const details = [
    `${least.map((cpu) => cpu.toFixed(0)).join(" / ")} us of CPU`,
    `${median(ratios("rate")).toFixed(2)}x its requests per second`,
  ];
  reportRatio(median(ratios("cpu")), what, details.join(", "));
}

async function watchMemory(server: Started): Promise<void> {
  for (let sent = LONG_RUN / 10; sent <= LONG_RUN; sent += LONG_RUN / 10) {
    await send(server, LONG_RUN / 10);
    const { heap, rss } = await query<Memory>(server, "memory");
    console.log(`${sent} more requests: heap ${heap.toFixed(1)} MB, RSS ${rss.toFixed(1)} MB`);
  }
}

interface Started {
  readonly child: ReturnType<typeof fork>;
  readonly port: number;
}

async function start(kind: Kind): Promise<Started> {
  const execArgv = ["--expose-gc", ...process.execArgv];
  const child = fork(process.argv[1] as string, [kind], { execArgv });
  const [port] = (await once(child, "message")) as [number];
  return { child, port };
}

async function query<T>({ child }: Started, what: "cpu" | "memory"): Promise<T> {
  child.send(what);
  const [answer] = (await once(child, "message")) as [T];
  return answer;
}

/** Microseconds so far. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** In MB. */
interface Memory {
  readonly heap: number;
  readonly rss: number;
}

/**
 * Collects the garbage first. Not before a round: with no connection open that throws away most of
 * the compiled code, and the round would measure its compilation.
 */
function memory(): Memory {
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed / 2 ** 20, rss: rss / 2 ** 20 };
}

/** Over keep-alive sockets, each of which sends its next request after each response. */
async function send({ port }: Started, count: number): Promise<void> {
  const each = Array.from({ length: CONNECTIONS }, (_, index) =>
    talk(port, { index, count: count / CONNECTIONS }),
  );
  await Promise.all(each);
}

const REQUESTS = Array.from({ length: USERS }, (_, user) => {
  const body = JSON.stringify({ user_id: `user-${user}`, message: "Hi" });
  const head = [
    "POST /chat HTTP/1.1",
    "Host: localhost",
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`);
});

/** A minimal client, so that the servers are what is measured: a response ends with its JSON. */
function talk(port: number, { index, count }: { index: number; count: number }): Promise<void> {
  const socket = connect(port, "127.0.0.1").setNoDelay(true);
  let sent = 0;
  const ask = () => void socket.write(REQUESTS[(index + sent++) % USERS] as Buffer);
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("connect", ask);
    socket.on("data", (chunk) => {
      if (chunk.at(-1) !== 0x7d) return reject(new Error(`Incomplete response: ${chunk}`));
      if (sent < count) return ask();
      socket.destroy();
      resolve();
    });
  });
}

async function serve(kind: string): Promise<void> {
  process.on("message", (what) => process.send?.(what === "cpu" ? cpuTime() : memory()));
  process.on("disconnect", () => process.exit());
  process.send?.(kind === "agno-chat" ? await serveOurs() : await serveBare(kind));
}

const openAgent = () => new Agent({ model, memory: new InMemory(KEPT_PER_USER) });

async function serveOurs(): Promise<number> {
  const server = createServer({ agent: openAgent(), log: () => {} });
  return Number(new URL(await server.listen({ port: 0 })).port);
}

/** Parses and answers the same JSON, with a run or without, and nothing else. */
async function serveBare(kind: string): Promise<number> {
  const agent = openAgent();
  const http = createHttpServer((request, response) => {
    const answer = (user_id: string, reply: string) => {
      const body = JSON.stringify({ user_id, reply });
      response.writeHead(200, {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
      });
      response.end(body);
    };
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { user_id, message } = JSON.parse(Buffer.concat(chunks).toString());
      if (kind === "bare") answer(user_id, "Hello");
      else
        void agent
          .run(message, { userId: user_id })
          .then(({ content }) => answer(user_id, content));
    });
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return (http.address() as AddressInfo).port;
}

const [kind] = process.argv.slice(2).filter((argument) => argument !== "--short");
if (kind === undefined) await compare();
else await serve(kind);
