import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkHistory } from "../../src/agent/check-history.js";
import { modelLimitFor, windowOf } from "../../src/agent/window.js";
import { DEFAULT_SESSION_ID } from "../../src/ids.js";
import {
  assistantMessage,
  haveAttachments,
  type Message,
  type StoredMessage,
  systemMessage,
  toolMessage,
  userMessage,
} from "../../src/messages.js";
import { contents, resultIds } from "./support.js";

const text = fc.string({ maxLength: 3 });
const callId = fc.constantFrom("c1", "c2", "c3");
const call = fc.record({ id: callId, name: fc.constant("look"), arguments: fc.constant("{}") });

/** Any message: a history of these has orphans, unanswered calls, equal ids, users in a row. */
const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  text.map(userMessage),
  fc.constantFrom("Be kind.", "Be brief.", "").map(systemMessage),
  fc
    .tuple(text, fc.array(call, { maxLength: 3 }))
    .map(([content, calls]) => assistantMessage(content, calls)),
  fc.tuple(callId, text).map(([id, content]) => toolMessage(id, content)),
);

/** A run as the agent stores it. Every text names the run. */
function wholeRun(name: string, rounds: readonly number[]): Message[] {
  const messages: Message[] = [userMessage(`${name} asks`)];
  rounds.forEach((calls, round) => {
    const ids = Array.from({ length: calls }, (_, index) => `${name}-${round}-${index}`);
    const toolCalls = ids.map((id) => ({ id, name: "look", arguments: "{}" }));
    messages.push(
      assistantMessage("", toolCalls),
      ...ids.map((id) => toolMessage(id, `${name} saw`)),
    );
  });
  return [...messages, assistantMessage(`${name} is told`)];
}

const rounds = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 });
const runs = fc
  .array(rounds, { maxLength: 12 })
  .map((list) => list.map((each, index) => wholeRun(`run ${index}`, each)));

const stored = (message: Message, id: number): StoredMessage => ({
  ...message,
  ...{ id, runId: `run-${id}`, sessionId: DEFAULT_SESSION_ID },
  createdAt: "2026-11-28T00:00:00.000Z",
});

/** A run under way: its user message and the rounds so far. */
const current = rounds.map((each) => wholeRun("now", each).slice(0, -1));

const limitOf = (length: number): number[] =>
  Array.from({ length: length + 2 }, (_, limit) => limit);

function expectAcceptable(window: readonly Message[]): void {
  window.forEach((message, index) => {
    const before = window[index - 1];
    if (message.role === "system") expect(index).toBe(0);
    if (message.role === "user") expect(before?.role).not.toBe("user");
    if (message.role === "tool") expect(["assistant", "tool"]).toContain(before?.role);
    if (message.role === "assistant") {
      expect(before).toBeDefined();
      expect(resultIds(window, index)).toEqual((message.toolCalls ?? []).map(({ id }) => id));
      expect(message.toolCalls?.length).not.toBe(0);
    }
  });
  expect(window.find(({ role }) => role !== "system")?.role).toBe("user");
}

describe("the window", () => {
  it("is well-formed at every limit, whatever the history contains", () => {
    fc.assert(
      fc.property(
        fc.array(anyMessage, { maxLength: 30 }),
        current,
        fc.nat(40),
        (history, now, more) => {
          for (const limit of [...limitOf(history.length), Infinity]) {
            const input = {
              instructions: "Be kind.",
              history,
              total: history.length + more,
              limit,
              current: now,
            };
            const frozen = JSON.stringify(input);
            const window = windowOf(input);
            expectAcceptable(window);
            expect(JSON.stringify(input)).toBe(frozen);
            expect(windowOf(input)).toEqual(window);
          }
        },
      ),
    );
  });

  it("needs no second look at a history that was found plain", () => {
    const isMixed = fc.array(anyMessage, { maxLength: 6 });
    fc.assert(
      fc.property(
        fc.oneof(
          isMixed,
          runs.map((list) => list.flat()),
        ),
        fc.nat(8),
        (list, limit) => {
          const history = list.map((message, index) => stored(message, index + 1));
          const isPlain = checkHistory(history, DEFAULT_SESSION_ID);
          const total = history.length;
          const input = { history, total, limit, current: [userMessage("now")] };
          expect(windowOf({ ...input, isPlain })).toEqual(windowOf(input));
          if (!isPlain) return;
          expect(haveAttachments(history)).toBe(false);
          expect(modelLimitFor("any", history)).toBe(Infinity);
        },
      ),
    );
  });

  it("has every system text exactly once, in its first message", () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 20 }), fc.nat(20), (history, limit) => {
        const input = {
          instructions: "Be kind.",
          history,
          total: history.length,
          limit,
          current: [userMessage("now")],
        };
        const stored = contents(history.filter(({ role }) => role === "system"));
        const texts = new Set(["Be kind.", ...stored].filter((each) => each !== ""));
        expect(windowOf(input)[0]).toEqual({ role: "system", content: [...texts].join("\n\n") });
      }),
    );
  });

  it("has no system message if there is no system text", () => {
    const input = {
      history: [systemMessage("")],
      total: 1,
      limit: 10,
      current: [userMessage("now")],
    };
    expect(windowOf(input)).toEqual([userMessage("now")]);
    expect(windowOf({ ...input, instructions: "" })).toEqual([userMessage("now")]);
  });

  it("consists of the latest whole runs within the limit, and the whole current run", () => {
    fc.assert(
      fc.property(runs, current, (past, now) => {
        const history = past.flat();
        for (const limit of limitOf(history.length)) {
          const window = windowOf({ history, total: history.length, limit, current: now });
          const sent = window.length - now.length;
          expect(sent).toBeLessThanOrEqual(limit);
          expect(window).toEqual([...history.slice(history.length - sent), ...now]);
          expect(window[0]?.role).toBe("user");
        }
      }),
    );
  });

  it("uses at least three quarters of the limit, less one run", () => {
    for (let length = 2; length < 400; length += 2)
      for (const limit of [4, 20, 21, 100, 200]) {
        const history = Array.from({ length: length / 2 }, () => wholeRun("run", [])).flat();
        const window = windowOf({ history, total: length, limit, current: [userMessage("now")] });
        expect(window.length - 1).toBeGreaterThanOrEqual(
          Math.min(length, Math.ceil(limit * 0.75) - 2),
        );
      }
  });

  it("begins the same for a quarter of the limit, for the provider's prompt cache", () => {
    const limit = 40;
    const history = Array.from({ length: 300 }, (_, index) => wholeRun(`run ${index}`, [])).flat();
    let [changes, before] = [0, [] as Message[]];
    for (let total = 0; total <= history.length; total += 2) {
      const seen = history.slice(Math.max(0, total - limit), total);
      const window = windowOf({ history: seen, total, limit, current: [] });
      if (before.length > 0 && window[0] !== before[0]) changes += 1;
      else expect(window.slice(0, before.length)).toEqual(before);
      before = window;
    }
    expect(changes).toBe((history.length - limit) / (limit / 4));
  });

  it("is the same whether the memory returned all messages or only the latest", () => {
    fc.assert(
      fc.property(runs, fc.nat(30), (past, limit) => {
        const history = past.flat();
        const input = { total: history.length, limit, current: [userMessage("now")] };
        const latest = limit === 0 ? [] : history.slice(-limit);
        expect(windowOf({ ...input, history: latest })).toEqual(windowOf({ ...input, history }));
      }),
    );
  });
});

describe("a history that a model would refuse is repaired:", () => {
  const now = userMessage("now");
  const look = (id: string) => ({ id, name: "look", arguments: "{}" });
  const repaired = (...history: Message[]) =>
    windowOf({ history, total: history.length, limit: Infinity, current: [now] });

  it("user messages in a row become one", () => {
    expect(repaired(userMessage("a"), userMessage("b"))).toEqual([userMessage("a\n\nb\n\nnow")]);
  });

  it("replies in a row become one, and empty ones are dropped", () => {
    expect(
      repaired(
        userMessage("a"),
        assistantMessage("b"),
        assistantMessage(""),
        assistantMessage("c"),
      ),
    ).toEqual([userMessage("a"), assistantMessage("b\n\nc"), now]);
  });

  it("calls without results are dropped, and their text is kept", () => {
    expect(
      repaired(
        userMessage("a"),
        assistantMessage("b", [look("1")]),
        userMessage("c"),
        assistantMessage("", [look("2")]),
      ),
    ).toEqual([userMessage("a"), assistantMessage("b"), userMessage("c\n\nnow")]);
  });

  it("of several calls, the answered ones are kept in their order", () => {
    const calls = assistantMessage("b", [look("1"), look("2"), look("3")]);
    const results = [
      toolMessage("3", "third"),
      toolMessage("x", "foreign"),
      toolMessage("1", "first"),
    ];
    expect(repaired(userMessage("a"), calls, ...results)).toEqual([
      userMessage("a"),
      assistantMessage("b", [look("1"), look("3")]),
      toolMessage("1", "first"),
      toolMessage("3", "third"),
      now,
    ]);
  });

  it("calls with the same id each keep their own result", () => {
    const twins = [
      userMessage("a"),
      assistantMessage("", [look("1"), look("1")]),
      toolMessage("1", "first"),
      toolMessage("1", "second"),
      assistantMessage("b"),
    ];
    expect(repaired(...twins)).toEqual([...twins, now]);
  });

  it("what comes before the first user message is dropped", () => {
    expect(
      repaired(
        assistantMessage("b"),
        toolMessage("1", "orphan"),
        userMessage("a"),
        assistantMessage("c"),
      ),
    ).toEqual([userMessage("a"), assistantMessage("c"), now]);
  });
});
