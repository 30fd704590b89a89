import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { countWithinTokens } from "../../src/agent/token-window.js";
import { windowOf } from "../../src/agent/window.js";
import { InMemory } from "../../src/memory/in-memory.js";
import {
  assistantMessage,
  type Message,
  type NewMessage,
  type StoredFields,
  systemMessage,
  toolMessage,
  userMessage,
} from "../../src/messages.js";
import { estimateMessage } from "../../src/models/estimate-usage.js";
import { OpenAIModel } from "../../src/models/openai.js";
import { ScriptedModel } from "../../src/testing/scripted-model.js";
import { chunk, ModelServer, status, streamed } from "../support/model-server.js";
import { contents, failsWith, MEMORIES, SOMEONE, userTexts } from "./support.js";

const now = userMessage("now");

const look = (id: string) => ({ id, name: "look", arguments: "{}" });

/** A run as the agent stores it: the lengths of its question, its tool results and its reply. */
type Lengths = readonly [question: number, results: readonly number[], reply: number];

const runOf = ([question, results, reply]: Lengths, index: number): Message[] => [
  userMessage(`${index} `.padEnd(question, "q")),
  ...results.flatMap((length, call) => [
    assistantMessage("", [look(`${index}-${call}`)]),
    toolMessage(`${index}-${call}`, "r".repeat(length)),
  ]),
  assistantMessage("a".repeat(reply + 1)),
];

const lengthsUpTo = (most: number): fc.Arbitrary<Lengths> =>
  fc.tuple(
    fc.nat(most),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(fc.nat(most), { maxLength: 3 }) },
    ),
    fc.nat(most),
  );

const runsUpTo = (most: number, count: { minLength: number; maxLength: number }) =>
  fc.array(lengthsUpTo(most), count).map((runs) => runs.map(runOf));

const sum = (numbers: readonly number[]): number =>
  numbers.reduce((total, each) => total + each, 0);

const estimated = (messages: readonly Message[]): number => sum(messages.map(estimateMessage));

interface Limits {
  readonly historyTokens: number;
  readonly limit?: number;
}

/** What is sent of a history, without the current run. */
function sentOf(history: readonly NewMessage[], { historyTokens, limit = Infinity }: Limits) {
  const total = history.length;
  const tokenLimit = countWithinTokens({ history, total, limit, historyTokens });
  return windowOf({ history, total, limit, tokenLimit, current: [now] }).slice(0, -1);
}

describe("a history limited in tokens", () => {
  it("is sent as the latest whole runs within the limit, or all of it", () => {
    fc.assert(
      fc.property(
        runsUpTo(600, { minLength: 0, maxLength: 40 }),
        fc.nat(4_000),
        (runs, historyTokens) => {
          const history = runs.flat();
          const sent = sentOf(history, { historyTokens });
          expect(estimated(sent)).toBeLessThanOrEqual(historyTokens);
          expect(history.slice(history.length - sent.length)).toEqual(sent);
          expect(sent[0]?.role ?? "user").toBe("user");
          if (estimated(history) <= historyTokens) expect(sent).toEqual(history);
        },
      ),
    );
  });

  it("uses half of the limit or more, unless the run before would exceed it", () => {
    fc.assert(
      fc.property(
        runsUpTo(600, { minLength: 1, maxLength: 40 }),
        fc.nat(4_000),
        (runs, historyTokens) => {
          const sent = sentOf(runs.flat(), { historyTokens });
          const left = runs.slice(0, runs.length - userTexts(sent).length);
          const oneMore = estimated(left.at(-1) ?? []) + estimated(sent);
          if (left.length > 0 && estimated(sent) < historyTokens / 2)
            expect(oneMore).toBeGreaterThan(historyTokens);
        },
      ),
    );
  });

  it("is the same whether the memory returned all messages or only the latest", () => {
    fc.assert(
      fc.property(
        runsUpTo(200, { minLength: 0, maxLength: 30 }),
        fc.nat(2_000),
        fc.nat(40),
        (runs, historyTokens, limit) => {
          const history = Object.freeze(runs.flat());
          const extent = { total: history.length, limit, historyTokens };
          const latest = limit === 0 ? [] : history.slice(-limit);
          const system = systemMessage("Be brief.");
          const all = countWithinTokens({ ...extent, history });
          expect(countWithinTokens({ ...extent, history: latest })).toBe(all);
          expect(countWithinTokens({ ...extent, history: [system, ...latest] })).toBe(all);
        },
      ),
    );
  });

  it("begins the same for many runs: it moves on no oftener than each quarter of the limit", () => {
    fc.assert(
      fc.property(
        runsUpTo(200, { minLength: 200, maxLength: 300 }),
        fc.integer({ min: 1_000, max: 4_000 }),
        (runs, historyTokens) => {
          let [moves, before] = [0, [] as Message[]];
          for (let count = 0; count <= runs.length; count++) {
            const sent = sentOf(runs.slice(0, count).flat(), { historyTokens });
            const isLater = count > 0 && sent[0] !== before[0] && before.length > 0;
            if (isLater) moves += 1;
            // Never back to an earlier run.
            if (isLater) expect(before).toContain(sent[0]);
            else expect(sent.slice(0, before.length)).toEqual(before);
            before = sent;
          }
          const all = estimated(runs.flat());
          expect(moves).toBeLessThanOrEqual(Math.ceil((all / historyTokens) * 4));
        },
      ),
      { numRuns: 10 },
    );
  });

  it("is counted as the provider counts it, whose tokens may be half or double the estimate", () => {
    fc.assert(
      fc.property(
        runsUpTo(600, { minLength: 2, maxLength: 30 }),
        fc.integer({ min: 500, max: 4_000 }),
        fc.constantFrom(0.6, 1, 1.8),
        (runs, historyTokens, factor) => {
          const history = counted(runs.flat(), factor);
          const sent = sentOf(history, { historyTokens });
          // The first question and the last reply lie between no two counts.
          const rim = Math.max(0, factor - 1) * estimated([...sent.slice(0, 1), ...sent.slice(-1)]);
          expect(factor * estimated(sent)).toBeLessThanOrEqual(historyTokens + rim + 1);
          if (factor * estimated(history) <= historyTokens && factor >= 1)
            expect(sent).toEqual(history);
        },
      ),
    );
  });

  it("is estimated where a count cannot be: of an estimate, another model, a prompt cut since", () => {
    const history = Array.from({ length: 20 }, (_, index) => runOf([400, [], 400], index)).flat();
    const expected = sentOf(history, { historyTokens: 1_000 });
    expect(expected.length).toBeLessThan(history.length);
    const everyReply = (fields: (index: number) => Counts): NewMessage[] =>
      history.map((message, index) =>
        message.role === "assistant" ? { ...message, ...fields(index) } : message,
      );
    const cases = [
      (index: number) => ({ usage: usageOf(index * 20_000, true) }),
      (index: number) => ({ usage: usageOf(index * 100), model: `model ${index}` }),
      (index: number) => ({ usage: usageOf(10_000 - index) }),
      () => ({ usage: usageOf(10_000) }),
      (index: number) => ({ usage: usageOf(index * 20_000) }),
    ];
    for (const fields of cases) {
      const sent = sentOf(everyReply(fields), { historyTokens: 1_000 });
      expect(contents(sent)).toEqual(contents(expected));
    }
  });

  it("is not sent at all if its latest run alone is too long, or the limit is 0", () => {
    expect(sentOf(runOf([4_000, [], 10], 0), { historyTokens: 500 })).toEqual([]);
    expect(sentOf(runOf([4_000, [], 10], 0), { historyTokens: 0 })).toEqual([]);
  });

  it("is limited in messages, too", () => {
    const history = Array.from({ length: 100 }, (_, index) => runOf([20, [], 20], index)).flat();
    expect(sentOf(history, { historyTokens: 1_000_000, limit: 40 })).toHaveLength(40);
    expect(sentOf(history, { historyTokens: 200, limit: 40 }).length).toBeLessThan(20);
  });
});

type Counts = Partial<Pick<StoredFields, "usage" | "model">>;

const usageOf = (inputTokens: number, estimated = false) => ({
  inputTokens,
  outputTokens: 1,
  ...(estimated && { estimated }),
});

/** The history with the counts of a provider: so many times the estimate, after instructions. */
function counted(history: readonly Message[], factor: number): NewMessage[] {
  let before = 1_000;
  return history.map((message) => {
    const inputTokens = Math.round(before);
    before += factor * estimateMessage(message);
    return message.role === "assistant"
      ? { ...message, model: "counting", usage: usageOf(inputTokens) }
      : message;
  });
}

describe.each(MEMORIES)("with $name, an agent with historyTokens", ({ open }) => {
  const ask = (agent: Agent, input: string) => agent.run(input, SOMEONE);
  const chat = Array.from({ length: 30 }, (_, index) => runOf([300, [], 300], index)).flat();

  it("keeps system messages and the whole current run, and deletes nothing", async () => {
    const memory = open();
    await memory.add([systemMessage("Be kind."), ...chat]);
    const model = new ScriptedModel(() => "ok");
    const agent = new Agent({ model, memory, instructions: "Be brief.", historyTokens: 500 });
    const input = "long ".repeat(1_000);
    await ask(agent, input);
    const sent = model.requests[0]?.messages ?? [];
    expect(sent[0]?.content).toBe("Be brief.\n\nBe kind.");
    expect(sent.at(-1)?.content).toBe(input);
    expect(estimated(sent.slice(1, -1))).toBeLessThanOrEqual(500);
    expect(sent.length).toBeGreaterThan(3);
    expect(await memory.size()).toBe(63);
  });

  it("shows in its context what the next run sends", async () => {
    const memory = open();
    await memory.add(chat);
    const model = new ScriptedModel(() => "ok");
    const agent = new Agent({ model, memory, historyTokens: 500 });
    const { messages } = await agent.context(SOMEONE);
    await ask(agent, "now");
    expect(model.requests[0]?.messages).toMatchObject([...messages, now]);
  });

  it("says in its context how many tokens it has, and what leaves out how much", async () => {
    const memory = open();
    await memory.add([systemMessage("Be kind."), ...chat]);
    const model = new ScriptedModel(() => "ok", { name: "test" });
    const whole = await new Agent({ model, memory }).context(SOMEONE);
    expect(whole.leftOut).toEqual({ historyLimit: 0, historyTokens: 0, model: 0 });
    expect(whole.historyTokens).toBe(Math.ceil(estimated(chat)));
    const agent = new Agent({ model, memory, historyLimit: 40, historyTokens: 1_000 });
    const { messages, tokens, historyTokens, leftOut } = await agent.context(SOMEONE);
    expect(historyTokens).toBe(Math.ceil(estimated(messages.slice(1))));
    expect(tokens).toBe(Math.ceil(estimated(messages)));
    expect(leftOut).toMatchObject({ historyLimit: 30, historyTokens: 31 - messages.length });
    await memory.add([now, { ...assistantMessage("ok"), model: "test", historySent: 2 }]);
    expect((await agent.context(SOMEONE)).leftOut.model).toBeGreaterThan(0);
  });

  it("leaves the run out that is replaced, before it counts", async () => {
    const memory = open();
    const model = new ScriptedModel(() => "ok");
    const agent = new Agent({ model, memory, historyTokens: 500 });
    await ask(agent, "first");
    const { runId } = await ask(agent, "long ".repeat(1_000));
    await agent.run("second", { ...SOMEONE, replaceRun: runId });
    expect(userTexts(model.requests.at(-1)?.messages ?? [])).toEqual(["first", "second"]);
  });
});

it("a stateless conversation is sent whole: its client chose what is in it", async () => {
  const model = new ScriptedModel(() => "ok");
  const agent = new Agent({ model, historyTokens: 10 });
  await agent.detached("alice", runOf([400, [], 400], 0)).run("now");
  expect(model.requests[0]?.messages).toHaveLength(3);
});

it("a limit that is no count of tokens is refused", () => {
  const model = new ScriptedModel(["ok"]);
  for (const historyTokens of [-1, 1.5, Number.NaN])
    expect(() => new Agent({ model, historyTokens })).toThrow(
      `historyTokens must be 0 or more, not ${historyTokens}.`,
    );
});

describe("a server with a context of 2,000 tokens", () => {
  /** Counts 1.5 times what is estimated, as another tokenizer may. */
  const promptTokens = (messages: readonly Message[]) => Math.round(1.5 * estimated(messages));
  const refusal = status(400, { error: { code: "context_length_exceeded", message: "Too long." } });
  const startServer = () =>
    ModelServer.start((response, request) => {
      const tokens = promptTokens(request.body.messages);
      if (tokens > 2_000) return refusal(response, request);
      const usage = { prompt_tokens: tokens, completion_tokens: 40 };
      const answer = [chunk({ content: "fine ".repeat(20) }), chunk({}, "stop")];
      return streamed(...answer, { choices: [], usage })(response, request);
    });

  it("never refuses an agent that sends 1,200 of history, and gets the same beginning", async () => {
    const server = await startServer();
    try {
      const model = new OpenAIModel({ model: "test-model", baseUrl: server.url, apiKey: "k" });
      const agent = new Agent({ model, memory: new InMemory(), historyTokens: 1_200 });
      for (let run = 0; run < 80; run++) await agent.run(`${run} `.padEnd(150, "y"), SOMEONE);
      expect(server.requests).toHaveLength(80);
      const beginnings = server.requests.map(({ body }) => body.messages[0].content);
      const last = server.requests.at(-1)?.body.messages;
      expect(promptTokens(last)).toBeGreaterThan(600);
      expect(new Set(beginnings).size).toBeLessThan(20);
    } finally {
      await server.close();
    }
  });

  it("refuses an agent without a limit once for every few runs", async () => {
    const server = await startServer();
    try {
      const model = new OpenAIModel({ model: "test-model", baseUrl: server.url, apiKey: "k" });
      const agent = new Agent({ model, memory: new InMemory() });
      for (let run = 0; run < 40; run++) await agent.run(`${run} `.padEnd(150, "y"), SOMEONE);
      expect(server.requests.length).toBeGreaterThan(40);
      await failsWith(agent.run("y".repeat(9_000), SOMEONE), "CONTEXT_TOO_LONG");
    } finally {
      await server.close();
    }
  });
});
