import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Agent } from "../src/agent/agent.js";
import { InMemory } from "../src/memory/in-memory.js";
import type { Model } from "../src/models/model.js";
import { reportRatio } from "./report.js";

/**
 * The memory of this process that users and waiting runs take, compared with a Map of lists and a
 * promise per user. Sizes repeat, so `npm run bench:check` allows them little.
 */

const USERS = 2_000;
const RUNS = 5;
const WAITING = 100;

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

const tick = () => new Promise((resolve) => setTimeout(resolve, 20));

async function heapUsed(): Promise<number> {
  await tick();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** A text of 200 characters that no other message shares. */
const textOf = (name: string): string => Buffer.from(name.padEnd(200, "x")).toString("latin1");

/** A model that answers when the gate opens. */
const modelBehind = (gate: Promise<void>): Model => ({
  name: "instant",
  async *stream({ messages }) {
    await gate;
    yield { type: "text-delta", text: textOf(`reply ${messages.length}`) };
    yield { type: "finish", reason: "stop", usage: { inputTokens: 1, outputTokens: 1 } };
  },
});

interface Chat {
  run(input: string, userId: string): Promise<unknown>;
}

function bareChat(gate: Promise<void>): Chat {
  const histories = new Map<string, object[]>();
  const queues = new Map<string, Promise<void>>();
  return {
    run(input, userId) {
      const turn = (queues.get(userId) ?? gate).then(() => {
        const history = histories.get(userId) ?? [];
        histories.set(userId, history);
        history.push({ role: "user", content: input });
        history.push({ role: "assistant", content: textOf(`reply ${history.length}`) });
      });
      queues.set(userId, turn);
      turn.then(() => {
        if (queues.get(userId) === turn) queues.delete(userId);
      });
      return turn;
    },
  };
}

const agentChat = (gate: Promise<void>): Chat => {
  const agent = new Agent({ model: modelBehind(gate), memory: new InMemory() });
  return { run: (input, userId) => agent.run(input, { userId }) };
};

/** Bytes per user of ten messages. */
async function userBytes(make: typeof agentChat): Promise<number> {
  const chat = make(Promise.resolve());
  for (let user = 0; user < 100; user += 1) await chat.run("warm", `warm-${user}`);
  const before = await heapUsed();
  for (let user = 0; user < USERS; user += 1)
    for (let run = 0; run < RUNS; run += 1)
      await chat.run(textOf(`message ${run} of ${user}`), `user-${user}`);
  const after = await heapUsed();
  await chat.run("The chat is still in use", "warm-1");
  return (after - before) / USERS;
}

/** Bytes per run that waits for its turn. */
async function waitingBytes(make: typeof agentChat): Promise<number> {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const chat = make(gate);
  const users = Array.from({ length: 100 }, (_, index) => `user-${index}`);
  const first = users.map((userId) => chat.run("first", userId));
  const before = await heapUsed();
  const waiting = users.flatMap((userId) =>
    Array.from({ length: WAITING }, () => chat.run("next", userId)),
  );
  const after = await heapUsed();
  open();
  await Promise.all([...first, ...waiting]);
  return (after - before) / waiting.length;
}

async function compare(what: string, bytes: (make: typeof agentChat) => Promise<number>) {
  const [ours, base] = [await bytes(agentChat), await bytes(bareChat)];
  reportRatio(ours / base, `heap: ${what}`, `${ours.toFixed(0)} B / ${base.toFixed(0)} B`);
}

await compare("a user of ten messages / a bare Map", userBytes);
await compare("a run that waits / a bare queue", waitingBytes);
