import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { ask, cleanUp, rawChat, serve, temporaryFolder, Wire } from "./support.js";

/** A `serve` that is given a listening socket as by systemd, and starts when it is told to. */
class Successor {
  readonly child: ChildProcess;
  readonly #ready: Promise<unknown>;

  constructor(home: string, socket: number) {
    const serveIt = "exec node bin/agno-chat.js serve --model demo --store sqlite:$HOME/chat.db";
    const script = `read _; LISTEN_FDS=1 LISTEN_PID=$$ ${serveIt}`;
    this.child = spawn("sh", ["-c", script], {
      env: { PATH: process.env.PATH, HOME: home, AGNO_CHAT_HOME: home, NO_COLOR: "1" },
      stdio: ["pipe", "ignore", "pipe", socket],
    });
    cleanUp(() => this.child.kill("SIGKILL"));
    const lines = createInterface({ input: this.child.stderr as NodeJS.ReadableStream });
    this.#ready = new Promise<void>((resolve) => {
      lines.on("line", (line) => /Listening on/.test(line) && resolve());
    });
  }

  start(): Promise<unknown> {
    this.child.stdin?.end("go\n");
    return this.#ready;
  }

  async stop(): Promise<unknown> {
    this.child.kill("SIGTERM");
    const [code] = await once(this.child, "exit");
    return code;
  }
}

const socketOf = (server: Server): number =>
  (server as unknown as { _handle: { fd: number } })._handle.fd;

test.each([
  ["with a connection for each request", new http.Agent({ keepAlive: false })],
  ["over connections that stay open", new http.Agent({ keepAlive: true })],
])(
  "a new server takes over the socket of an old one without a lost request, %s",
  async (_, agent) => {
    const listener = createServer().listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { port } = listener.address() as AddressInfo;
    const home = temporaryFolder();
    const [old, next] = [0, 1].map(() => new Successor(home, socketOf(listener)));
    listener.close(); // the socket stays open in the two processes
    await old?.start();
    let isOver = false;
    const answered: number[] = [];
    const keepAsking = async (user_id: string): Promise<void> => {
      for (let count = 0; !isOver; count += 1) {
        const body = { user_id, message: `Message ${count}` };
        answered.push((await ask(`http://127.0.0.1:${port}/chat`, { body, agent })).status);
      }
    };
    const asking = ["alice", "bob", "carol"].map(keepAsking);
    await next?.start();
    expect(await old?.stop()).toBe(143);
    const before = answered.length;
    while (answered.length < before + 30) await new Promise((resolve) => setImmediate(resolve));
    isOver = true;
    await Promise.all(asking);
    agent.destroy();
    expect(answered.filter((status) => status !== 200)).toEqual([]);
    expect(before).toBeGreaterThan(0);
  },
);

test("a server that closes still answers what was on its way over an open connection", async () => {
  const { port, server, memory } = await serve();
  const wire = await Wire.open(port);
  wire.socket.write(rawChat("alice", "first"));
  await wire.until(/You said: first/);
  const closed = server.close();
  wire.socket.write(rawChat("alice", "second"));
  await wire.closed();
  await closed;
  expect(wire.received).toMatch(/200 OK.*You said: first.*200 OK.*Connection: close.*second/s);
  expect(await memory.size("alice")).toBe(4);
});

test("a socket that other machines reach needs a way to let people in", async () => {
  const listener = createServer().listen(0, "0.0.0.0");
  await once(listener, "listening");
  cleanUp(() => listener.close());
  const { server } = await serve();
  await expect(server.listen({ fd: socketOf(listener) })).rejects.toMatchObject({ code: "USAGE" });
});
