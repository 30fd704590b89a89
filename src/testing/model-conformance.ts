import assert from "node:assert/strict";
import type { Awaitable } from "../memory/memory.js";
import { assistantMessage, systemMessage, userMessage } from "../messages.js";
import type { Model, ModelEvent, ModelRequest } from "../models/model.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";

type Test = () => Promise<void>;

/** The model to test, and how to close what it needs, such as a server. */
export interface OpenedModel {
  readonly model: Model;
  readonly close?: () => Awaitable<void>;
}

export interface ModelConformanceOptions {
  /** The name of the model, for the title. */
  readonly name: string;
  /** Opens a model that answers every request with text, and equal requests with equal text. */
  readonly open: () => Awaitable<OpenedModel>;
  /** `describe` and `it` of vitest, node:test, mocha or jest. */
  readonly describe: (title: string, body: () => void) => unknown;
  readonly it: (title: string, test: Test) => unknown;
}

const KEYS: KnownKeys<ModelConformanceOptions> = {
  name: true,
  open: true,
  describe: true,
  it: true,
};

/** How soon an abort must take effect, in milliseconds. */
const ABORT_LIMIT_MS = 100;

/**
 * Tests the promises of the `Model` contract. Call it in a test file of your own model.
 * @example
 * import { describe, it } from "node:test";
 *
 * const open = () => ({ model: new DemoModel() });
 * modelConformance({ name: "DemoModel", open, describe, it });
 * @throws {AgnoChatError} `USAGE` for an unknown option
 */
export function modelConformance(options: ModelConformanceOptions): void {
  refuseUnknownKeys(options, KEYS, "modelConformance");
  const { name, open, describe, it } = options;
  describe(`${name} keeps the model contract`, () => {
    for (const [title, check] of Object.entries(PROMISES))
      it(title, async () => {
        const { model, close } = await open();
        try {
          await check(model);
        } finally {
          await close?.();
        }
      });
  });
}

const PROMISES: Readonly<Record<string, (model: Model) => Promise<void>>> = {
  "has a name": async (model) => {
    assert.match(model.name, /\S/);
  },

  "streams text, then exactly one finish event": async (model) => {
    const events = await eventsOf(model, ALICE);
    assert.notEqual(textOf(events), "");
    assert.deepEqual(
      events.flatMap(({ type }, index) => (type === "finish" ? [index] : [])),
      [events.length - 1],
    );
  },

  "reports why it finished, and counts tokens in whole numbers": async (model) => {
    const finish = (await eventsOf(model, ALICE)).at(-1);
    assert.equal(finish?.type, "finish");
    assert.equal(finish.reason, "stop");
    for (const count of [finish.usage?.inputTokens ?? 0, finish.usage?.outputTokens ?? 0])
      assert.ok(Number.isSafeInteger(count) && count >= 0, `${count} is not a count`);
  },

  "never sends empty text or half a character": async (model) => {
    for (const event of await eventsOf(model, ALICE))
      if (event.type === "text-delta")
        assert.ok(event.text !== "" && event.text.isWellFormed(), JSON.stringify(event.text));
  },

  "does not start when the signal has already aborted": async (model) => {
    const reason = new Error("aborted before");
    const stream = model.stream(ALICE, { signal: AbortSignal.abort(reason) });
    await assert.rejects(collect(stream), (thrown) => thrown === reason);
  },

  "throws the signal's reason within 100 ms of an abort mid-stream": async (model) => {
    const { controller, events } = begin(model);
    await events.next();
    await assertStops(controller, { events, pending: undefined });
  },

  "throws the signal's reason within 100 ms of an abort while the next event is awaited": async (
    model,
  ) => {
    const { controller, events } = begin(model);
    await assertStops(controller, { events, pending: events.next() });
  },

  "can be abandoned mid-stream and called again": async (model) => {
    for await (const _ of model.stream(ALICE, idle())) break;
    assert.notEqual(textOf(await eventsOf(model, ALICE)), "");
  },

  "keeps concurrent streams apart": async (model) => {
    const requests = Array.from({ length: 8 }, (_, index) => ask(`My name is User${index}`));
    const alone: string[] = [];
    for (const request of requests) alone.push(textOf(await eventsOf(model, request)));
    const together = await Promise.all(requests.map((request) => eventsOf(model, request)));
    assert.deepEqual(together.map(textOf), alone);
  },

  "answers from the request alone, and remembers nothing between calls": async (model) => {
    const question = ask("What is my name?");
    const before = textOf(await eventsOf(model, question));
    await eventsOf(model, ALICE);
    assert.equal(textOf(await eventsOf(model, question)), before);
  },

  "answers differently when the history differs": async (model) => {
    const histories = ["Alice", "Bob"].map((user) => ({
      messages: [
        systemMessage("Be brief."),
        userMessage(`My name is ${user}`),
        assistantMessage(`Hello, ${user}.`),
        userMessage("What is my name?"),
      ],
    }));
    const answers = await Promise.all(histories.map((request) => eventsOf(model, request)));
    assert.notEqual(textOf(answers[0] ?? []), textOf(answers[1] ?? []));
  },

  "never changes the request": async (model) => {
    const request = deepFrozen(structuredClone(ALICE));
    await eventsOf(model, request);
    assert.deepEqual(request, ALICE);
  },
};

const ask = (text: string): ModelRequest => ({ messages: [userMessage(text)] });

const ALICE = ask("My name is Alice");

const idle = () => ({ signal: new AbortController().signal });

const eventsOf = (model: Model, request: ModelRequest): Promise<ModelEvent[]> =>
  collect(model.stream(request, idle()));

async function collect(stream: AsyncIterable<ModelEvent>): Promise<ModelEvent[]> {
  const events: ModelEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

const textOf = (events: readonly ModelEvent[]): string =>
  events.map((event) => (event.type === "text-delta" ? event.text : "")).join("");

function begin(model: Model) {
  const controller = new AbortController();
  const stream = model.stream(ALICE, { signal: controller.signal });
  return { controller, events: stream[Symbol.asyncIterator]() };
}

type Pending = Promise<IteratorResult<ModelEvent>>;

/** An event already on its way may still arrive; after that the reason must be thrown. */
async function assertStops(
  controller: AbortController,
  { events, pending }: { events: AsyncIterator<ModelEvent>; pending: Pending | undefined },
): Promise<void> {
  const reason = new Error("aborted in the middle");
  const start = performance.now();
  controller.abort(reason);
  await assert.rejects(drain(events, pending), (thrown) => thrown === reason);
  const took = performance.now() - start;
  assert.ok(took <= ABORT_LIMIT_MS, `it took ${Math.round(took)} ms to stop`);
}

async function drain(events: AsyncIterator<ModelEvent>, pending: Pending | undefined) {
  let { done } = await (pending ?? events.next());
  while (!done) ({ done } = await events.next());
}

function deepFrozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(value).forEach(deepFrozen);
  return Object.freeze(value);
}
