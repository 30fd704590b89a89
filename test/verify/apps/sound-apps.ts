import type { IncomingMessage, ServerResponse } from "node:http";
import { App, delay, type Incoming, type Spoken } from "./app.js";

class Slow extends App {
  override async ask(messages: readonly Spoken[]): Promise<string> {
    await delay(15);
    return super.ask(messages);
  }
}

/** Answers 429 once, and drops a connection once, at a time that depends on the seed. */
class Faltering extends App {
  #messages = 0;
  readonly #first: number;

  constructor(seed: number) {
    super();
    this.#first = 3 * seed;
  }

  override async answer(incoming: Incoming, response: ServerResponse, request: IncomingMessage) {
    this.#messages++;
    if (this.#messages === this.#first)
      return void response.writeHead(429, { "retry-after": "0" }).end();
    if (this.#messages === this.#first + 2) return void request.socket.destroy();
    await super.answer(incoming, response, request);
  }
}

class Streamed extends App {
  override reply(response: ServerResponse, reply: string): void {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const piece of reply.match(/.{1,7}/gs) ?? [])
      response.write(`data: ${JSON.stringify({ choices: [{ delta: { content: piece } }] })}\n\n`);
    response.end("data: [DONE]\n\n");
  }
}

/** Tells the model its own user's first words in the system message. */
class Remembering extends App {
  override prompt(incoming: Incoming): Spoken[] {
    const [first] = this.historyOf(incoming);
    const content = `Known: ${first?.content ?? "nothing"}`;
    return [{ role: "system", content }, ...super.prompt(incoming)];
  }
}

export const SOUND_APPS: readonly (readonly [name: string, make: (seed: number) => App])[] = [
  ["a plain app", () => new App()],
  ["a slow app", () => new Slow()],
  ["an app that answers 429 and drops a connection", (seed) => new Faltering(seed)],
  ["an app that streams", () => new Streamed()],
  ["an app with a summary of its own user", () => new Remembering()],
];
