import { once } from "node:events";
import { expect, test } from "vitest";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Message } from "../../src/messages.js";
import type { Model, ModelEvent } from "../../src/models/model.js";
import { Gate } from "../agent/support.js";
import { rawChat, serve, Wire } from "./support.js";

const USERS = 100;
const SOCKETS_PER_USER = 5;
const REQUESTS_PER_SOCKET = 20;

const userIn = (text: string): string => /user-\d+/.exec(text)?.[0] ?? text;
const usersIn = (messages: readonly Message[]) =>
  new Set(messages.map(({ content }) => userIn(content)));

/**
 * Echoes the message, and records every request that holds messages of more than one user. It
 * answers only once every user has a run, so that the runs overlap.
 */
class WatchingModel implements Model {
  readonly name = "watching";
  readonly mixed: string[] = [];
  most = 0;
  #running = 0;
  readonly #everybodyIsIn = new Gate();

  async *stream({ messages }: { messages: readonly Message[] }): AsyncGenerator<ModelEvent> {
    this.#running += 1;
    this.most = Math.max(this.most, this.#running);
    const users = usersIn(messages);
    if (users.size !== 1) this.mixed.push([...users].join());
    try {
      if (this.#running === USERS) this.#everybodyIsIn.open();
      await this.#everybodyIsIn.opened;
      yield { type: "text-delta", text: `heard ${messages.at(-1)?.content}` };
      yield { type: "finish", reason: "stop" };
    } finally {
      this.#running -= 1;
    }
  }
}

/** The replies to requests that are all sent before the first is answered, in order. */
async function talk(port: number, user: string, texts: readonly string[]): Promise<string[]> {
  const wire = await Wire.open(port);
  wire.socket.write(texts.map((text) => rawChat(user, text)).join(""));
  const replies = () => [...wire.received.matchAll(/\{"user_id":.*?"\}/g)].map(([body]) => body);
  while (replies().length < texts.length) await once(wire.socket, "data");
  return replies();
}

test("no model request mixes two of 100 users with 100 overlapping requests each", async () => {
  const model = new WatchingModel();
  const memory = new InMemory();
  const { port } = await serve({ model, memory });

  const talks = Array.from({ length: USERS * SOCKETS_PER_USER }, async (_, index) => {
    const user = `user-${index % USERS}`;
    const texts = Array.from({ length: REQUESTS_PER_SOCKET }, (_, n) => `${user}: ${index}, ${n}`);
    const replies = texts.map((text) => `{"user_id":"${user}","reply":"heard ${text}"}`);
    expect(await talk(port, user, texts)).toEqual(replies);
  });
  await Promise.all(talks);

  expect(model.mixed).toEqual([]);
  expect(model.most).toBe(USERS);
  expect(memory.users()).toHaveLength(USERS);
  for (const { userId, messages } of memory.users()) {
    expect(messages).toBe(2 * SOCKETS_PER_USER * REQUESTS_PER_SOCKET);
    const said = memory.getMessages(userId);
    expect(usersIn(said)).toEqual(new Set([userId]));
    expect(new Set(said.map(({ content }) => content)).size).toBe(messages);
  }
});
