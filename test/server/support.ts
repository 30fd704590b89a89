import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { afterEach, expect } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Limits, Memory } from "../../src/memory/memory.js";
import type { Model } from "../../src/models/model.js";
import {
  type ChatServer,
  createServer,
  type ListenOptions,
  type ServerOptions,
} from "../../src/server/index.js";
import { ScriptedModel } from "../../src/testing/scripted-model.js";
import { Gate } from "../agent/support.js";
import { type Reply, streamedText } from "../support/model-server.js";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export const cleanUp = (work: () => unknown): void => void cleanups.push(work);

/** Echoes the last message. */
export const echo = (): ScriptedModel =>
  new ScriptedModel(({ messages }) => `You said: ${messages.at(-1)?.content}`);

/** Sends the first part at once, and the second when the gate opens. */
export const halting = (gate = new Gate()): Model => ({
  name: "halting",
  async *stream(_, { signal }) {
    yield { type: "text-delta", text: "Hel" };
    await Promise.race([gate.opened, once(signal, "abort")]);
    signal.throwIfAborted();
    yield { type: "text-delta", text: "lo" };
    yield { type: "finish", reason: "stop" };
  },
});

/** A reply that is sent when the gate opens. */
export const lateText =
  (words: string, gate: Gate): Reply =>
  async (response, request) => {
    await gate.opened;
    await streamedText(words)(response, request);
  };

export interface Served {
  readonly url: string;
  readonly port: number;
  readonly server: ChatServer;
  readonly memory: Memory;
  /** The parsed lines of the request log. */
  readonly log: Record<string, unknown>[];
}

export interface ServeOptions extends Omit<ServerOptions, "agent" | "log"> {
  readonly model?: Model;
  readonly memory?: Memory;
  readonly limits?: Limits;
  readonly listen?: ListenOptions;
}

/** A server on a free port, closed after the test. */
export async function serve({
  model = echo(),
  memory = new InMemory(),
  limits,
  listen,
  ...options
}: ServeOptions = {}): Promise<Served> {
  const log: Record<string, unknown>[] = [];
  const server = createServer({
    agent: new Agent({ model, memory, ...(limits && { limits }) }),
    log: (line) => log.push(JSON.parse(line)),
    ...options,
  });
  const url = await server.listen({ port: 0, ...listen });
  cleanUp(() => server.close({ now: true }));
  return { url, port: Number(new URL(url).port), server, memory, log };
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read any field of it
  readonly json: any;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly agent?: http.Agent;
}

/** Sends one request; an object as the body is sent as JSON. */
export async function ask(
  url: string,
  { method = "POST", headers = {}, body, agent }: AskOptions = {},
): Promise<Answer> {
  const isBytes = typeof body === "string" || body instanceof Uint8Array;
  const request = http.request(url, {
    method,
    agent,
    headers: { "content-type": "application/json", ...headers },
  });
  request.end(body === undefined || isBytes ? body : JSON.stringify(body));
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  const body_ = await text(response);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: body_,
    json:
      /json/.test(response.headers["content-type"] ?? "") && body_ ? JSON.parse(body_) : undefined,
  };
}

/** A header with a token. */
export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

const A2A = {
  jsonrpc: "2.0",
  id: 1,
  method: "SendMessage",
  params: { message: { messageId: "1", role: "ROLE_USER", parts: [{ text: "Hi" }] } },
};

/** Every route that asks who is there. */
export const ROUTES = [
  ["POST", "/chat", { message: "Hi" }],
  ["GET", "/history", undefined],
  ["DELETE", "/history", undefined],
  ["GET", "/size", undefined],
  ["GET", "/export", undefined],
  ["POST", "/a2a", A2A],
  ["POST", "/v1/responses", { input: "Hi" }],
  ["POST", "/v1/chat/completions", { messages: [{ role: "user", content: "Hi" }] }],
  ["POST", "/v1/conversations", {}],
  ["GET", "/v1/models", undefined],
  ["GET", "/nothing", undefined],
] as const;

/** The status of a request with two Authorization headers. */
export function twice(
  url: string,
  { method, tokens }: { method: string; tokens: readonly string[] },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = tokens.flatMap((token) => ["Authorization", `Bearer ${token}`]);
    const request = http.request(url, { method, headers: ["Host", "localhost", ...headers] });
    request.on("response", (response) => resolve(response.resume().statusCode ?? 0));
    request.on("error", reject);
    request.end();
  });
}

export const get = (url: string, headers: Record<string, string> = {}): Promise<Answer> =>
  ask(url, { method: "GET", headers });

export const chat = (
  { url }: Pick<Served, "url">,
  userId: string,
  message: string,
): Promise<Answer> => ask(`${url}/chat`, { body: { user_id: userId, message } });

/** A raw connection, and everything received on it so far. */
export class Wire {
  readonly socket: Socket;
  received = "";

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk) => {
      this.received += chunk;
    });
    // A server may close a connection with a reset.
    socket.on("error", () => {});
  }

  static async open(port: number, { allowHalfOpen = false } = {}): Promise<Wire> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen });
    await once(socket, "connect");
    cleanUp(() => socket.destroy());
    return new Wire(socket);
  }

  closed(): Promise<unknown> {
    return this.socket.closed ? Promise.resolve() : once(this.socket, "close");
  }

  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.received)) await once(this.socket, "data");
  }
}

/** A request with a JSON body as it is sent. Each of the other `headers` ends with a line end. */
export const rawPost = (path: string, body: string, headers = ""): string =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${headers}` +
  `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

export const rawChat = (userId: string, message = "Hi", headers = ""): string =>
  rawPost("/chat", JSON.stringify({ user_id: userId, message }), headers);

/** Waits until the condition holds, checking once per turn of the event loop. */
export async function eventually(isSo: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; !isSo(); ) {
    expect(Date.now(), "it did not become so").toBeLessThan(end);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "agno-chat-server-"));
  cleanUp(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** The command in its own process. */
export class Command {
  readonly child: ChildProcess;
  readonly lines: string[] = [];
  readonly ended: Promise<number | null>;
  stdout = "";

  constructor(home: string, args: readonly string[]) {
    this.child = spawn(process.execPath, ["bin/agno-chat.js", ...args], {
      env: { PATH: process.env.PATH, AGNO_CHAT_HOME: home, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    cleanUp(() => this.child.kill("SIGKILL"));
    this.child.stdout?.on("data", (chunk) => {
      this.stdout += chunk;
    });
    createInterface({ input: this.child.stderr as NonNullable<typeof this.child.stderr> }).on(
      "line",
      (line) => this.lines.push(line),
    );
    this.ended = once(this.child, "close").then(([code]) => code);
  }

  /** Resolves with the first line on stderr that matches. */
  async line(pattern: RegExp): Promise<string> {
    const gone = () => this.child.exitCode !== null || this.child.signalCode !== null;
    await eventually(() => this.lines.some((line) => pattern.test(line)) || gone());
    const line = this.lines.find((one) => pattern.test(one));
    expect(line, this.lines.join("\n")).toBeDefined();
    return line as string;
  }

  /** The address a server says it listens on. */
  async url(): Promise<string> {
    const line = await this.line(/Listening on /);
    return /http:\/\/[\d.]+:\d+/.exec(line)?.[0] as string;
  }
}
