import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import type { Memory } from "../../src/memory/memory.js";
import type { StoredMessage } from "../../src/messages.js";
import type { ModelRequest } from "../../src/models/model.js";
import { ScriptedModel, type ScriptedReply } from "../../src/testing/scripted-model.js";
import {
  contents,
  expectWellFormed,
  MEMORIES,
  question,
  seededRandom,
  settled,
  toolkitOf,
  toolOf,
  userTexts,
} from "./support.js";

const PLACES = ["alice", "bob"].flatMap((userId) =>
  ["home", "work"].map((sessionId) => ({ userId, sessionId, tag: `${userId}@${sessionId}` })),
);
type Place = (typeof PLACES)[number];

const place = fc.constantFrom(...PLACES);

/** What the user asks for: rounds of tool calls, how many at once, and what goes wrong. */
const plan = fc.record({
  rounds: fc.integer({ min: 0, max: 3 }),
  parallel: fc.integer({ min: 1, max: 2 }),
  talk: fc.boolean(),
  fault: fc.constantFrom("none", "none", "none", "model", "tool", "state", "cut"),
});
type Plan = typeof plan extends fc.Arbitrary<infer Value> ? Value : never;

const action = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("run" as const),
      place,
      plan,
      cancelAfter: fc.option(fc.nat(6), { freq: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("stream" as const),
      place,
      plan,
      cancelAfter: fc.option(fc.nat(8), { freq: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("clear" as const), place, wholeUser: fc.boolean() }),
  },
);
type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never;
type Asked = Exclude<Action, { kind: "clear" }>;

/** The actions of a phase overlap. The next phase starts when all of them have ended. */
const phases = fc.array(fc.array(action, { minLength: 1, maxLength: 10 }), {
  minLength: 1,
  maxLength: 3,
});

/** Replies as the plan in the question says, from the request alone. */
function answer(request: ModelRequest): ScriptedReply {
  const { tag, plan } = JSON.parse(question(request)) as { tag: string; plan: Plan };
  const start = request.messages.findLastIndex(({ role }) => role === "user");
  const round = request.messages.slice(start).filter(({ role }) => role === "assistant").length;
  const text = plan.talk ? [`${tag} `, `round ${round}`] : [];
  if (round < plan.rounds)
    return {
      text,
      toolCalls: Array(plan.parallel).fill({ name: "log", arguments: { fault: plan.fault } }),
    };
  if (plan.fault === "model") return new Error("model fault");
  if (plan.fault === "cut") return { text: `${tag} half`, error: new Error("cut") };
  return `${tag} final`;
}

const log = toolOf("log", async (context, args) => {
  const { state, userId, sessionId, runId } = context;
  await settled();
  const { fault } = args as { fault: string };
  if (fault === "state") state.bad = (() => {}) as never;
  const line = `${userId}@${sessionId} ${runId} ${crypto.randomUUID()}`;
  state.log = [...((state.log as string[] | undefined) ?? []), line];
  if (fault === "tool") throw new Error(line);
  return line;
});

type Outcome = "stored" | "nothing" | "either";

const inputOf = ({ place, plan }: Asked, number: number) =>
  JSON.stringify({ tag: place.tag, number, plan });

async function runOnce(agent: Agent, asked: Asked, input: string): Promise<Outcome> {
  const controller = new AbortController();
  const { userId, sessionId } = asked.place;
  const run = agent.run(input, { userId, sessionId, signal: controller.signal });
  const outcome = run.then(
    (): Outcome => "stored",
    (): Outcome => "nothing",
  );
  for (let turn = asked.cancelAfter ?? Infinity; turn === 0 || Number.isFinite(turn); turn--) {
    if (turn === 0) {
      controller.abort();
      break;
    }
    await settled();
  }
  return outcome;
}

async function streamOnce(agent: Agent, asked: Asked, input: string): Promise<Outcome> {
  const { userId, sessionId } = asked.place;
  let left = asked.cancelAfter ?? Infinity;
  try {
    for await (const event of agent.stream(input, { userId, sessionId }))
      if (event.type === "run-end") return "stored";
      else if (left-- === 0) return "either";
  } catch {
    return "nothing";
  }
  throw new Error("A stream ended without a run-end.");
}

const inputs = (history: readonly StoredMessage[]): string[] => userTexts(history);

class World {
  readonly agent: Agent;
  readonly memory: Memory;
  readonly model: ScriptedModel;
  #number = 0;

  constructor(memory: Memory, seed: number) {
    const random = seededRandom(seed);
    // Most events come at once and some later, so that the runs overlap in random order.
    this.model = new ScriptedModel(answer, { delay: () => (random() < 0.8 ? 0 : 1) });
    this.memory = memory;
    this.agent = new Agent({ model: this.model, memory, maxLoops: 3, toolkits: [toolkitOf(log)] });
  }

  async phase(actions: readonly Action[]): Promise<void> {
    const before = new Map<Place, string[]>();
    for (const each of PLACES) before.set(each, inputs(await this.#history(each)));
    const outcomes = await Promise.all(actions.map((each) => this.#act(each)));
    for (const each of PLACES) {
      const history = await this.#history(each);
      await this.#expectWhole(each, history);
      const mine = outcomes.filter((outcome) => outcome?.place === each);
      const known = [...(before.get(each) ?? []), ...mine.map((outcome) => outcome?.input ?? "")];
      expect(inputs(history)).toEqual(known.filter((input) => inputs(history).includes(input)));
      for (const { input, outcome } of mine.filter((each) => each !== undefined))
        if (outcome === "nothing") expect(inputs(history)).not.toContain(input);
      if (actions.some((other) => clears(other, each))) continue;
      this.#expectNobodyBlind(inputs(history));
      const sure = mine.filter((each) => each?.outcome === "stored").map((each) => each?.input);
      expect(inputs(history)).toEqual(
        expect.arrayContaining([...(before.get(each) ?? []), ...sure]),
      );
    }
  }

  async #act(each: Action) {
    const { place } = each;
    const { userId, sessionId } = place;
    if (each.kind === "clear") {
      await settled();
      await this.memory.clear(userId, each.wholeUser ? {} : { sessionId });
      return undefined;
    }
    const input = inputOf(each, this.#number++);
    const outcome = await (each.kind === "run" ? runOnce : streamOnce)(this.agent, each, input);
    return { place, input, outcome };
  }

  /** Every run that was answered had seen all runs stored before it. */
  #expectNobodyBlind(asked: readonly string[]): void {
    asked.forEach((input, index) => {
      const request = this.model.requests.findLast((each) => question(each) === input);
      const seen = userTexts(request?.messages ?? []);
      expect(seen).toEqual(asked.slice(0, index + 1));
    });
  }

  async #history({ userId, sessionId }: Place): Promise<StoredMessage[]> {
    return this.memory.getMessages(userId, { sessionId });
  }

  /** The history is well-formed and nobody else's, and it agrees with the state. */
  async #expectWhole({ userId, sessionId, tag }: Place, history: readonly StoredMessage[]) {
    expectWellFormed(history);
    for (const text of contents(history)) if (text !== "") expect(text).toContain(tag);
    const results = history.filter(({ role }) => role === "tool").map(({ content }) => content);
    const { log: logged = [], ...rest } = await this.memory.getState(userId, { sessionId });
    expect([...(logged as string[])].sort()).toEqual(results.sort());
    expect(rest).toEqual({});
  }

  /** Every request contained the messages of one session only. */
  expectIsolatedRequests(): void {
    for (const request of this.model.requests) {
      const { tag } = JSON.parse(question(request)) as { tag: string };
      for (const text of contents(request.messages)) if (text !== "") expect(text).toContain(tag);
    }
  }
}

const clears = (action: Action, { userId, sessionId }: Place): boolean =>
  action.kind === "clear" &&
  action.place.userId === userId &&
  (action.wholeUser || action.place.sessionId === sessionId);

describe.each(MEMORIES)("random runs with $name", ({ name, open }) => {
  it("leave isolated and well-formed histories, through tools, faults, cancels and clears", async () => {
    const numRuns = name === "InMemory" ? 60 : 20;
    await fc.assert(
      fc.asyncProperty(phases, fc.integer(), async (list, seed) => {
        const world = new World(open(), seed);
        for (const actions of list) await world.phase(actions);
        world.expectIsolatedRequests();
        expect((await world.agent.removeInactive(60_000)).users).toBe(0);
        await world.memory.close();
      }),
      { numRuns, seed: 42, endOnFailure: true },
    );
  });
});
