import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { onTestFinished } from "vitest";

export interface Spoken {
  readonly role: string;
  readonly content: string;
}

export interface Incoming {
  readonly user: string;
  readonly session: string;
  readonly message: string;
}

/** A small chat app, as people write them. Every part may be replaced by a faulty one. */
export class App {
  readonly histories = new Map<string, Spoken[]>();
  readonly #queues = new Map<string, Promise<unknown>>();
  model: string;

  /** @param model The base URL of its model. */
  constructor(model = "") {
    this.model = model;
  }

  keyOf({ user, session }: Incoming): string {
    return JSON.stringify([user, session]);
  }

  historyOf(incoming: Incoming): Spoken[] {
    const key = this.keyOf(incoming);
    const history = this.histories.get(key) ?? [];
    this.histories.set(key, history);
    return history;
  }

  /** What is sent to the model for a message. */
  prompt(incoming: Incoming): Spoken[] {
    return [...this.historyOf(incoming), { role: "user", content: incoming.message }];
  }

  /** Runs of one session one after the other. */
  queued<T>(incoming: Incoming, work: () => Promise<T>): Promise<T> {
    const key = this.keyOf(incoming);
    const done = (this.#queues.get(key) ?? Promise.resolve()).then(work, work);
    this.#queues.set(key, done);
    return done;
  }

  chat(incoming: Incoming): Promise<string> {
    return this.queued(incoming, () => this.turn(incoming));
  }

  async turn(incoming: Incoming): Promise<string> {
    const reply = await this.ask(this.prompt(incoming));
    this.keep(incoming, reply);
    return reply;
  }

  keep(incoming: Incoming, reply: string): void {
    this.historyOf(incoming).push(
      { role: "user", content: incoming.message },
      { role: "assistant", content: reply },
    );
  }

  async ask(messages: readonly Spoken[]): Promise<string> {
    const response = await fetch(`${this.model}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "any", messages }),
    });
    const body = (await response.json()) as { choices: { message: Spoken }[] };
    return body.choices[0]?.message.content ?? "";
  }

  clear(user: string): void {
    for (const key of this.histories.keys())
      if ((JSON.parse(key) as string[])[0] === user) this.histories.delete(key);
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://app");
    if (request.method === "DELETE") {
      this.clear(url.searchParams.get("user") ?? "");
      return void response.writeHead(204).end();
    }
    if (request.method === "HEAD") return void response.end();
    let text = "";
    for await (const chunk of request) text += chunk;
    const { user_id: user, message, session_id: session = "default" } = JSON.parse(text);
    await this.answer({ user, message, session }, response, request);
  }

  async answer(incoming: Incoming, response: ServerResponse, _request: IncomingMessage) {
    this.reply(response, await this.chat(incoming));
  }

  reply(response: ServerResponse, reply: string): void {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ reply }));
  }
}

export async function serveApp(app: App) {
  const server = createServer((request, response) => {
    app.serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url, close };
}

/** Serves an app until the test ends, and returns the URL of its chat. */
export async function startApp(app: App): Promise<string> {
  const { url, close } = await serveApp(app);
  onTestFinished(close);
  return `${url}/chat`;
}

export { delay };
