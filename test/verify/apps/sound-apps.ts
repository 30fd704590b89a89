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

/** Answers every fifth message 429, and takes it when it comes again. */
export class Busy extends App {
  readonly #turnedAway = new Set<string>();
  #messages = 0;

  override async answer(incoming: Incoming, response: ServerResponse, request: IncomingMessage) {
    const isFifth = ++this.#messages % 5 === 0 && !this.#turnedAway.has(incoming.message);
    if (!isFifth) return super.answer(incoming, response, request);
    this.#turnedAway.add(incoming.message);
    response.writeHead(429, { "retry-after": "0" }).end();
  }
}

/** Answers some messages 503 although it has run them. */
class Overloaded extends App {
  #messages = 0;

  override async answer(incoming: Incoming, response: ServerResponse, request: IncomingMessage) {
    if (++this.#messages % 9 !== 0) return super.answer(incoming, response, request);
    await this.chat(incoming);
    response.writeHead(503).end();
  }
}

/** Sends its model the last runs alone. */
export class ShortWindow extends App {
  readonly runs: number;

  constructor(runs: number) {
    super();
    this.runs = runs;
  }

  override prompt(incoming: Incoming): Spoken[] {
    return super.prompt(incoming).slice(-2 * this.runs - 1);
  }
}

/** A session belongs to whoever named it first. */
export class GlobalSessions extends App {
  readonly #owners = new Map<string, string>();
  readonly refusal: number;

  constructor(refusal: number) {
    super();
    this.refusal = refusal;
  }

  override keyOf({ session }: Incoming): string {
    return JSON.stringify([this.#owners.get(session), session]);
  }

  override async answer(incoming: Incoming, response: ServerResponse, request: IncomingMessage) {
    const { user, session } = incoming;
    if (!this.#owners.has(session)) this.#owners.set(session, user);
    if (this.#owners.get(session) === user) return super.answer(incoming, response, request);
    this.refuse(incoming, response);
  }

  refuse(_: Incoming, response: ServerResponse): void {
    response.writeHead(this.refusal).end();
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

/** Those that do the same in every seed need fewer. */
export const SOUND_APPS: readonly (readonly [
  name: string,
  make: (seed: number) => App,
  few: number,
])[] = [
  ["a plain app", () => new App(), 5],
  ["a slow app", () => new Slow(), 5],
  ["an app that answers 429 and drops a connection", (seed) => new Faltering(seed), 5],
  ["an app that streams", () => new Streamed(), 5],
  ["an app with a summary of its own user", () => new Remembering(), 5],
  ["an app that answers every fifth message 429", () => new Busy(), 2],
  ["an app that answers 503 although it has run the message", () => new Overloaded(), 2],
  ["an app with a window of two runs", () => new ShortWindow(2), 2],
  ["an app that answers 403 for a session of somebody else", () => new GlobalSessions(403), 2],
  ["an app that answers 404 for a session of somebody else", () => new GlobalSessions(404), 2],
];
