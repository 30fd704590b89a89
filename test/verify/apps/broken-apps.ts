import type { IncomingMessage, ServerResponse } from "node:http";
import type { FindingKind } from "../../../src/verify/finding.js";
import { App, type Incoming, type Spoken } from "./app.js";
import { Busy, GlobalSessions } from "./sound-apps.js";

export class OneHistory extends App {
  override historyOf({ session, message }: Incoming): Spoken[] {
    return super.historyOf({ user: "everybody", session, message });
  }
}

class SharedCurrentUser extends App {
  #current = "";

  override async turn(incoming: Incoming): Promise<string> {
    this.#current = incoming.user;
    const reply = await this.ask(this.prompt(incoming));
    this.keep({ ...incoming, user: this.#current }, reply);
    return reply;
  }
}

class ReplyCache extends App {
  readonly #replies = new Map<string, string>();

  override async turn(incoming: Incoming): Promise<string> {
    const cached = this.#replies.get(incoming.message);
    if (cached !== undefined) return cached;
    const reply = await super.turn(incoming);
    this.#replies.set(incoming.message, reply);
    return reply;
  }
}

class PromptCache extends App {
  readonly #prompts = new Map<string, Spoken[]>();

  override prompt(incoming: Incoming): Spoken[] {
    const prompt = this.#prompts.get(incoming.message) ?? super.prompt(incoming);
    this.#prompts.set(incoming.message, prompt);
    return prompt;
  }
}

class FoldedIds extends App {
  override keyOf({ user, session }: Incoming): string {
    return JSON.stringify([user.toLowerCase(), session]);
  }
}

class JoinedIds extends App {
  override keyOf({ user, session }: Incoming): string {
    return `${user}:${session}`;
  }

  override clear(user: string): void {
    for (const key of this.histories.keys())
      if (key.startsWith(`${user}:`)) this.histories.delete(key);
  }
}

class LosesEveryFourth extends App {
  #turns = 0;

  override keep(incoming: Incoming, reply: string): void {
    if (++this.#turns % 4 !== 0) super.keep(incoming, reply);
  }
}

class CutsMidRun extends App {
  override prompt(incoming: Incoming): Spoken[] {
    return super.prompt(incoming).slice(-4);
  }
}

class Unqueued extends App {
  override queued<T>(_: Incoming, work: () => Promise<T>): Promise<T> {
    return work();
  }
}

/** The latest message of a session first. */
class WrongOrder extends App {
  readonly #waiting = new Map<string, (() => void)[]>();
  readonly #busy = new Set<string>();

  override async queued<T>(incoming: Incoming, work: () => Promise<T>): Promise<T> {
    const key = this.keyOf(incoming);
    const waiting = this.#waiting.get(key) ?? [];
    this.#waiting.set(key, waiting);
    if (this.#busy.has(key)) await new Promise<void>((resolve) => waiting.push(resolve));
    this.#busy.add(key);
    try {
      return await work();
    } finally {
      const next = waiting.pop();
      if (next === undefined) this.#busy.delete(key);
      else next();
    }
  }
}

class OthersSummary extends App {
  #summary = "nobody";

  override prompt(incoming: Incoming): Spoken[] {
    const system = { role: "system", content: `Earlier: ${this.#summary}` };
    this.#summary = incoming.message;
    return [system, ...super.prompt(incoming)];
  }
}

class ClearsEverybody extends App {
  override clear(): void {
    this.histories.clear();
  }
}

class ClearsNothing extends App {
  override clear(): void {}
}

class SessionOfWhoeverNamesIt extends App {
  override keyOf({ session }: Incoming): string {
    return session;
  }

  override clear(): void {
    this.histories.delete("default");
  }
}

/** Replies go to whoever has waited longest. */
class LateReplies extends App {
  readonly #waiting: ServerResponse[] = [];

  override async answer(incoming: Incoming, response: ServerResponse) {
    this.#waiting.push(response);
    // Who gave up makes room for the next caller, whose place the reply then takes.
    response.once("close", () => {
      const place = this.#waiting.indexOf(response);
      if (place >= 0) this.#waiting.splice(place, 1);
    });
    const reply = await this.chat(incoming);
    const first = this.#waiting.shift();
    if (first !== undefined) this.reply(first, reply);
  }
}

class MemoryOfLatestUser extends App {
  #latest: Spoken[] = [];

  override prompt(incoming: Incoming): Spoken[] {
    const prompt = [...this.#latest, ...super.prompt(incoming)];
    this.#latest = [{ role: "user", content: incoming.message }];
    return prompt;
  }
}

class SharedStreamBuffer extends App {
  #buffer = "";

  override async turn(incoming: Incoming): Promise<string> {
    const reply = await super.turn(incoming);
    this.#buffer += reply;
    await new Promise((resolve) => setImmediate(resolve));
    const text = this.#buffer;
    this.#buffer = "";
    return text;
  }
}

class UserOfConnection extends App {
  readonly #users = new WeakMap<object, string>();

  override answer(incoming: Incoming, response: ServerResponse, request: IncomingMessage) {
    const user = this.#users.get(request.socket) ?? incoming.user;
    this.#users.set(request.socket, user);
    return super.answer({ ...incoming, user }, response, request);
  }
}

/** Now and then it sends its model less than at other times. */
class ForgetsNowAndThen extends App {
  #prompts = 0;

  override prompt(incoming: Incoming): Spoken[] {
    const prompt = super.prompt(incoming);
    return ++this.#prompts % 5 === 0 ? prompt.slice(-3) : prompt;
  }
}

class KeepsWhatItRefuses extends GlobalSessions {
  constructor() {
    super(403);
  }

  override refuse(incoming: Incoming, response: ServerResponse): void {
    this.historyOf(incoming).push({ role: "user", content: incoming.message });
    super.refuse(incoming, response);
  }
}

/** The window of everybody's latest runs. */
class WindowForAll extends App {
  readonly #latest: Spoken[] = [];

  override prompt(incoming: Incoming): Spoken[] {
    return [...this.#latest.slice(-4), { role: "user", content: incoming.message }];
  }

  override keep(incoming: Incoming, reply: string): void {
    super.keep(incoming, reply);
    this.#latest.push(
      { role: "user", content: incoming.message },
      { role: "assistant", content: reply },
    );
  }
}

class KeepsBusyMessages extends Busy {
  override answer(incoming: Incoming, response: ServerResponse, request: IncomingMessage) {
    response.once("finish", () => {
      if (response.statusCode === 429)
        this.historyOf(incoming).push({ role: "user", content: incoming.message });
    });
    return super.answer(incoming, response, request);
  }
}

/** The latest message of anybody, in a header. */
class TellsInHeader extends App {
  #latest = "";

  override answer(incoming: Incoming, response: ServerResponse, request: IncomingMessage) {
    response.setHeader("x-latest", encodeURIComponent(this.#latest));
    this.#latest = incoming.message;
    return super.answer(incoming, response, request);
  }
}

/** The latest reply of anybody, next to one's own. */
class TellsBesideReply extends App {
  #latest = "";

  override reply(response: ServerResponse, reply: string): void {
    response.end(JSON.stringify({ reply, latest: this.#latest }));
    this.#latest = reply;
  }
}

/** Those who come too early are told what is under way. */
class TellsInRefusal extends App {
  #latest = "";
  #count = 0;

  override async answer(incoming: Incoming, response: ServerResponse, request: IncomingMessage) {
    const { message } = incoming;
    if (++this.#count % 5 === 0)
      return void response.writeHead(503).end(`Busy with ${this.#latest}`);
    this.#latest = message;
    return super.answer(incoming, response, request);
  }
}

class OneQueueForAll extends App {
  override queued<T>(_: Incoming, work: () => Promise<T>): Promise<T> {
    return super.queued({ user: "", session: "", message: "" }, work);
  }
}

export const BROKEN_APPS: readonly (readonly [
  name: string,
  kinds: readonly FindingKind[],
  make: () => App,
])[] = [
  ["a current user shared by all", ["foreign"], () => new SharedCurrentUser()],
  ["replies cached by words", ["mispaired", "foreign"], () => new ReplyCache()],
  ["prompts cached by words", ["foreign"], () => new PromptCache()],
  ["ids in lower case", ["foreign"], () => new FoldedIds()],
  ["user and session joined", ["foreign"], () => new JoinedIds()],
  ["every fourth run lost", ["lost"], () => new LosesEveryFourth()],
  ["a history cut inside a run", ["lost"], () => new CutsMidRun()],
  ["no queue", ["blind"], () => new Unqueued()],
  ["the latest message first", ["blind", "reordered"], () => new WrongOrder()],
  ["somebody else's summary", ["foreign"], () => new OthersSummary()],
  ["a clear of everybody", ["lost"], () => new ClearsEverybody()],
  ["a clear of nothing", ["not-cleared"], () => new ClearsNothing()],
  ["a session of whoever names it", ["foreign"], () => new SessionOfWhoeverNamesIt()],
  ["late replies to the next caller", ["foreign"], () => new LateReplies()],
  ["a memory of the latest user", ["foreign"], () => new MemoryOfLatestUser()],
  ["a stream buffer shared by all", ["foreign"], () => new SharedStreamBuffer()],
  ["a user for each connection", ["foreign"], () => new UserOfConnection()],
  ["a history that is shorter now and then", ["lost"], () => new ForgetsNowAndThen()],
  ["a refused message that is kept", ["foreign"], () => new KeepsWhatItRefuses()],
  ["a window of everybody's latest runs", ["foreign"], () => new WindowForAll()],
  ["a message that is kept and answered 429", ["repeated"], () => new KeepsBusyMessages()],
  ["the latest message in a header", ["foreign"], () => new TellsInHeader()],
  ["the latest reply beside one's own", ["foreign"], () => new TellsBesideReply()],
  ["the latest message in a refusal", ["foreign"], () => new TellsInRefusal()],
  ["one queue for all", ["blocked"], () => new OneQueueForAll()],
];
