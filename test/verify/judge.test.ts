import { expect, test } from "vitest";
import { validateSessionId, validateUserId } from "../../src/ids.js";
import type { Message } from "../../src/messages.js";
import type { FindingKind, Whose } from "../../src/verify/finding.js";
import { judgeMessages, judgeReply } from "../../src/verify/judge.js";
import { Ledger, type PlantedRun } from "../../src/verify/ledger.js";
import { Random } from "../../src/verify/random.js";

const whoseOf = (user: string, session = "default"): Whose => ({
  userId: validateUserId(user),
  sessionId: validateSessionId(session),
});

/** Three answered runs of alice, one of them in another session, and one of bob. */
function planted() {
  const ledger = new Ledger(new Random(1));
  const runOf = (user: string, session = "default"): PlantedRun => {
    const run = ledger.begin(whoseOf(user, session), { door: "test" });
    answer(ledger, run);
    return run;
  };
  const [first, second] = [runOf("alice"), runOf("alice")];
  const [work, bob] = [runOf("alice", "work"), runOf("bob")];
  const now = ledger.begin(whoseOf("alice"), { door: "test" });
  return { ledger, first, second, work, bob, now };
}

function answer(ledger: Ledger, run: PlantedRun): void {
  const content = `Noted ${ledger.canaries.plant("reply", run)}.`;
  ledger.answer(run, { role: "assistant", content });
}

type Planted = ReturnType<typeof planted>;

/** The kinds of what the judge finds in a request of `now`. */
function kindsIn(
  messages: (parts: Planted) => readonly Message[],
  prepare: (parts: Planted) => void = () => {},
): FindingKind[] {
  const parts = planted();
  prepare(parts);
  const { ledger, now } = parts;
  const expected = { runs: [...ledger.before(now), now], exact: true };
  const sighting = { check: "requests", by: now, door: "test" } as const;
  return judgeMessages(messages(parts), expected, sighting, ledger).map(({ kind }) => kind);
}

type Case = [
  name: string,
  kinds: readonly FindingKind[],
  messages: (parts: Planted) => readonly Message[],
  prepare?: (parts: Planted) => void,
];

const REQUESTS: Case[] = [
  ["what it must be", [], ({ first, second, now }) => messagesOf(first, second, now)],
  [
    "another user's run",
    ["foreign"],
    ({ first, second, bob, now }) => messagesOf(first, second, bob, now),
  ],
  [
    "another user's words in the system message",
    ["foreign"],
    ({ first, second, bob, now }) => [
      { role: "system", content: `About: ${bob.text}` },
      ...messagesOf(first, second, now),
    ],
  ],
  [
    "a run of another session",
    ["cross-session"],
    ({ first, second, work, now }) => messagesOf(first, second, work, now),
  ],
  ["not the run before", ["lost"], ({ first, now }) => messagesOf(first, now)],
  ["nothing of before", ["lost", "lost"], ({ now }) => messagesOf(now)],
  [
    "a run that is still under way",
    ["blind"],
    ({ first, second, now }) => [
      ...messagesOf(first),
      ...second.messages.slice(0, 1),
      ...messagesOf(now),
    ],
    ({ second }) => {
      second.answered = false;
    },
  ],
  ["two runs swapped", ["reordered"], ({ first, second, now }) => messagesOf(second, first, now)],
  [
    "two replies swapped",
    ["mispaired"],
    ({ first, second, now }) => [
      ...first.messages.slice(0, 1),
      ...second.messages.slice(1),
      ...second.messages.slice(0, 1),
      ...first.messages.slice(1),
      ...messagesOf(now),
    ],
  ],
  ["a run twice", ["repeated"], ({ first, second, now }) => messagesOf(first, first, second, now)],
  [
    "a cleared run",
    ["not-cleared"],
    ({ first, second, now }) => messagesOf(first, second, now),
    ({ first }) => {
      first.cleared = true;
    },
  ],
  [
    "a run that failed",
    ["kept"],
    ({ first, second, now }) => messagesOf(first, second, now),
    ({ first }) => {
      first.outcome = "dropped";
    },
  ],
  [
    "other words around the right texts",
    ["altered"],
    ({ first, second, now }) => [
      ...messagesOf(first, second),
      { role: "user", content: `${now.text} Please.` },
    ],
  ],
  [
    "a run that may be there",
    [],
    ({ first, second, now }) => messagesOf(first, second, now),
    ({ ledger }) => {
      const run = ledger.begin(whoseOf("alice"), { door: "test" });
      run.outcome = "uncertain";
    },
  ],
];

const messagesOf = (...runs: readonly PlantedRun[]): Message[] =>
  runs.flatMap(({ messages }) => messages);

test.each<Case>(REQUESTS)("a request with %s is judged %j", (_, kinds, messages, prepare) => {
  expect(kindsIn(messages, prepare)).toEqual(kinds);
});

test("a finding names whose text it is, who saw it, where, and which run planted it", () => {
  const { ledger, first, second, bob, now } = planted();
  const expected = { runs: [...ledger.before(now), now], exact: true };
  const sighting = { check: "requests", by: now, door: "agent.run", request: 9 } as const;
  const messages = messagesOf(first, second, bob, now);
  const [found] = judgeMessages(messages, expected, sighting, ledger);
  expect(found).toMatchObject({
    ...{ kind: "foreign", of: { userId: "bob" }, run: bob.number, door: "agent.run", request: 9 },
    ...{ where: "messages[4]", canary: ledger.canaries.in(bob.text)[0]?.text },
  });
  expect(found?.by).toMatchObject({ userId: "alice", sessionId: "default" });
});

test("a reply of somebody else, of another run, or of nobody is found", () => {
  const { ledger, first, second, bob } = planted();
  const sighting = { check: "replies", by: second, door: "test" } as const;
  const kind = (reply: string) => judgeReply(reply, second, sighting, ledger)[0]?.kind;
  expect(kind(second.messages[1]?.content ?? "")).toBeUndefined();
  expect(kind(bob.messages[1]?.content ?? "")).toBe("foreign");
  expect(kind(first.messages[1]?.content ?? "")).toBe("reordered");
  expect(kind("Hello.")).toBe("lost");
});
