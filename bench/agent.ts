import { Agent } from "../src/agent/agent.js";
import { InMemory } from "../src/memory/in-memory.js";
import type { Message } from "../src/messages.js";
import { assistantMessage, userMessage } from "../src/messages.js";
import type { Model, ModelEvent, ModelRequest } from "../src/models/model.js";
import { isShort, reportRatio } from "./report.js";

/**
 * Compares a run on InMemory with the minimum that does the same: a Map of histories, copied for
 * the model, with one promise per user as the queue. Both use the same model, which answers without
 * delay.
 */

const ROUNDS = isShort ? 9 : 21;
const USERS = 10;

const instant: Model = {
  name: "instant",
  async *stream(request: ModelRequest): AsyncGenerator<ModelEvent> {
    yield { type: "text-delta", text: `reply ${request.messages.length}` };
    yield { type: "finish", reason: "stop" };
  },
};

interface Chat {
  run(input: string, userId: string): Promise<unknown>;
}

class BareChat implements Chat {
  readonly #histories = new Map<string, Message[]>();
  readonly #queues = new Map<string, Promise<unknown>>();

  seed(userId: string, messages: readonly Message[]): void {
    this.#histories.set(userId, [...messages]);
  }

  run(input: string, userId: string): Promise<unknown> {
    const turn = (this.#queues.get(userId) ?? Promise.resolve()).then(() =>
      this.#turn(input, userId),
    );
    this.#queues.set(userId, turn);
    return turn;
  }

  async #turn(input: string, userId: string): Promise<string> {
    const history = this.#histories.get(userId) ?? [];
    const request = { messages: [...history, userMessage(input)] };
    let text = "";
    const { signal } = neverAborted;
    for await (const event of instant.stream(request, { signal }))
      if (event.type === "text-delta") text += event.text;
    history.push(userMessage(input), assistantMessage(text));
    this.#histories.set(userId, history);
    return text;
  }
}

const neverAborted = new AbortController();

const historyOf = (length: number): Message[] =>
  Array.from({ length: length / 2 }, (_, index) => [
    userMessage(`question ${index} ${"x".repeat(80)}`),
    assistantMessage(`answer ${index} ${"x".repeat(200)}`),
  ]).flat();

function bareWith(users: readonly string[], history: readonly Message[]): Chat {
  const bare = new BareChat();
  for (const userId of users) bare.seed(userId, history);
  return bare;
}

function agentWith(users: readonly string[], history: readonly Message[]): Chat {
  const memory = new InMemory();
  for (const userId of users) if (history.length > 0) memory.add(history, userId);
  const agent = new Agent({ model: instant, memory });
  return { run: (input, userId) => agent.run(input, { userId }) };
}

type Make = typeof bareWith;
type Work = (chat: Chat, users: readonly string[]) => Promise<unknown>;

/** One run of each user in turn, so that no history grows much. */
const oneByOne: Work = async (chat, users) => {
  for (const userId of users) await chat.run("Hello", userId);
};

const overlapping: Work = (chat, users) =>
  Promise.all(
    Array.from({ length: 1_000 }, (_, index) => chat.run(`${index}`, users[index % USERS] ?? "")),
  );

interface Case {
  readonly name: string;
  readonly users: number;
  readonly runs: number;
  readonly history: number;
  readonly work: Work;
}

const CASES: readonly Case[] = [
  { name: "a run, no history", users: 1_000, runs: 1_000, history: 0, work: oneByOne },
  { name: "a run, 200 messages", users: 500, runs: 500, history: 200, work: oneByOne },
  { name: "a run, 2,000 messages", users: 100, runs: 100, history: 2_000, work: oneByOne },
  {
    name: "1,000 overlapping runs of 10 users",
    users: USERS,
    runs: 1_000,
    history: 0,
    work: overlapping,
  },
];

async function microseconds(
  make: Make,
  { users: count, runs, history, work }: Case,
): Promise<number> {
  const users = Array.from({ length: count }, (_, index) => `user-${index}`);
  const chat = make(users, historyOf(history));
  const started = performance.now();
  await work(chat, users);
  return ((performance.now() - started) * 1_000) / runs;
}

/** Measures both in turn. The fastest rounds count: those that nothing else disturbed. */
async function compare(test: Case): Promise<void> {
  const [bare, agent]: [number[], number[]] = [[], []];
  for (let round = -2; round < ROUNDS; round++) {
    const [low, high] = [await microseconds(bareWith, test), await microseconds(agentWith, test)];
    if (round < 0) continue;
    bare.push(low);
    agent.push(high);
  }
  const [ours, base] = [Math.min(...agent), Math.min(...bare)];
  const figures = [ours, base].map((value) => `${value.toFixed(1)} us`);
  reportRatio(ours / base, `${test.name} / a bare chat`, figures.join(" / "));
}

function constructAgents(): void {
  const count = 20_000;
  const memory = new InMemory();
  for (let warm = 0; warm < count; warm++) new Agent({ model: instant, memory });
  const started = performance.now();
  for (let made = 0; made < count; made++) new Agent({ model: instant, memory });
  const each = ((performance.now() - started) * 1_000) / count;
  console.log(`constructing an agent: ${each.toFixed(2)} us`);
}

for (const test of CASES) await compare(test);
constructAgents();
