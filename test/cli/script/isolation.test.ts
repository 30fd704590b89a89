import { EventEmitter } from "node:events";
import { Readable, Writable } from "node:stream";
import { expect, test } from "vitest";
import { Repl } from "../../../src/cli/chat/repl.js";
import { Output } from "../../../src/cli/output.js";
import { PLAIN } from "../../../src/cli/script/layout.js";
import { runScript } from "../../../src/cli/script/run-script.js";
import { ScriptScreen } from "../../../src/cli/script/script-screen.js";
import { DEFAULT_SESSION_ID, DEFAULT_USER_ID } from "../../../src/ids.js";
import { InMemory } from "../../../src/memory/in-memory.js";
import { ScriptedModel } from "../../../src/testing/scripted-model.js";

const LINES = 1_000;
const USERS = 50;

/** A canary names its user: `canary-7-u12` is the seventh of u12. */
const CANARY = /canary-\d+-u\d+(?!\d)/g;
const ownerOf = (canary: string): string => canary.replace(/^canary-\d+-/, "");
const canariesIn = (text: string): string[] => text.match(CANARY) ?? [];

test("1,000 lines of 50 users never show one user's words to another", async () => {
  const random = seeded(20_260);
  const model = new ScriptedModel(({ messages }) => `heard ${messages.at(-1)?.content}`, {
    delay: () => random() * 2,
  });
  const memory = new InMemory();
  const { script, said } = wildScript(random);
  expect(script).toHaveLength(LINES);

  const { verdict, stdout } = await play(script, { model, memory });
  expect(verdict.failures).toEqual([]);
  expect(verdict.inputs + verdict.expectations).toBe(LINES);

  const sent = [...said.values()].flat();
  expect(model.requests).toHaveLength(sent.length);
  for (const { messages } of model.requests) {
    const canaries = messages.flatMap(({ content }) => canariesIn(content));
    expect(new Set(canaries.map(ownerOf)).size).toBe(1);
  }
  for (const [user, canaries] of said) {
    const kept = memory.getMessages(user);
    expect(kept.map(({ content }) => content)).toEqual(
      canaries.flatMap((canary) => [canary, `heard ${canary}`]),
    );
  }
  expect(canariesIn(stdout).sort()).toEqual(sent.sort());
});

/** The lines of many users, and what each user says in order. */
function wildScript(random: () => number) {
  const pick = () => `u${Math.floor(random() * USERS)}`;
  const said = new Map<string, string[]>();
  const say = (user: string): string => {
    const canary = `canary-${(said.get(user) ?? []).length}-${user}`;
    said.set(user, [...(said.get(user) ?? []), canary]);
    return canary;
  };
  const script = ["/user u0"];
  let active = "u0";
  while (script.length < LINES) {
    const left = LINES - script.length;
    const dice = random();
    if (dice < 0.3 || left === 1) {
      active = pick();
      script.push(`/user ${active}`);
    } else if (dice < 0.5) {
      const other = pick();
      const canary = say(other);
      script.push(`/as ${other} ${canary}`, `?equals heard ${canary}`);
    } else {
      const canary = say(active);
      script.push(canary, `?contains heard ${canary}`);
    }
    if (left > 4) script.push(`?size ${2 * (said.get(active) ?? []).length}`);
  }
  return { script, said };
}

async function play(
  script: readonly string[],
  { model, memory }: { model: ScriptedModel; memory: InMemory },
) {
  let stdout = "";
  const sink = new Writable({
    write(chunk, _encoding, done) {
      stdout += chunk;
      done();
    },
  });
  const streams = { stdin: Readable.from([]), stdout: sink, stderr: sink, env: {} };
  const io = Object.assign(new EventEmitter(), streams);
  const output = new Output(io, { json: false, quiet: true, debug: false });
  const screen = new ScriptScreen({
    output,
    layout: PLAIN,
    mayDelete: true,
    forgetInput: () => {},
  });
  const repl = new Repl({
    parts: { model, memory, toolkits: [], historyLimit: 200, historyTokens: Infinity },
    screen,
    start: { userId: DEFAULT_USER_ID, sessionId: DEFAULT_SESSION_ID },
    openModel: () => Promise.reject(new Error("no other model")),
    prices: async () => undefined,
  });
  async function* lines() {
    yield* script;
  }
  const verdict = await runScript({
    ...{ repl, screen, name: "wild.chat", lines: lines(), env: {} },
    ...{ signal: new AbortController().signal, keepGoing: false, isLive: false },
    onFailure: () => {},
  });
  return { verdict, stdout };
}

/** mulberry32: the same numbers in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
