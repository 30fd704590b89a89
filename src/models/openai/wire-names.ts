import { createHash } from "node:crypto";
import type { Message, ToolCall } from "../../messages.js";
import type { ModelRequest } from "../model.js";

/** What every server takes as the name of a tool. */
const LEGAL_NAME = /^[\w-]{1,64}$/;

/** Mistral takes nothing else as the id of a call; all others take this too. */
const LEGAL_ID = /^[a-zA-Z0-9]{9}$/;

/**
 * The tools of a request under the names they are sent by: a history may hold names that only another server took. A legal
 * name is sent as it is, any other as a legal one that no other tool has. The same request always gets the same names.
 */
export class WireNames {
  readonly #sent = new Map<string, string>();
  readonly #meant = new Map<string, string>();

  constructor({ messages, tools = [] }: ModelRequest) {
    const names = [...tools, ...messages.flatMap(callsOf)].map(({ name }) => name);
    // The legal ones first, so that nothing else takes their place.
    for (const name of names.filter((name) => LEGAL_NAME.test(name))) this.#add(name);
    for (const name of names) this.#add(name);
  }

  toSent(name: string): string {
    return this.#sent.get(name) ?? name;
  }

  /** The tool that a model means. A name that was never sent is the model's own, and stays. */
  toMeant(sent: string): string {
    return this.#meant.get(sent) ?? sent;
  }

  #add(name: string): void {
    if (this.#sent.has(name)) return;
    const sent = firstFree(namesFor(name), this.#meant);
    this.#sent.set(name, sent);
    this.#meant.set(sent, name);
  }
}

/**
 * The ids of a request's calls as they are sent. Told of the messages in their order, it never gives two calls one id,
 * though servers that count from 0 in each answer do; a result gets the id of the call before it.
 */
export class WireIds {
  readonly #used = new Map<string, string>();
  /** The ids sent for each stored id in the newest message with calls; the first is the next to be answered. */
  #unanswered = new Map<string, string[]>();

  /** All calls of one message. */
  ofCalls(calls: readonly ToolCall[]): string[] {
    this.#unanswered = new Map();
    return calls.map(({ id }) => {
      const sent = this.#create(id);
      this.#unanswered.set(id, [...(this.#unanswered.get(id) ?? []), sent]);
      return sent;
    });
  }

  ofResult(id: string): string {
    return this.#unanswered.get(id)?.shift() ?? this.#create(id);
  }

  #create(id: string): string {
    const sent = firstFree(idsFor(id), this.#used);
    this.#used.set(sent, id);
    return sent;
  }
}

export const callsOf = (message: Message): readonly ToolCall[] =>
  (message.role === "assistant" && message.toolCalls) || [];

function firstFree(candidates: Iterable<string>, taken: ReadonlyMap<string, unknown>): string {
  for (const candidate of candidates) if (!taken.has(candidate)) return candidate;
  throw new RangeError("no candidate left");
}

/** Names to send a tool by, the best first, without end. */
function* namesFor(name: string): Generator<string> {
  const legal = name.replace(/[^\w-]/gu, "_");
  if (LEGAL_NAME.test(legal)) yield legal;
  for (let attempt = 0; ; attempt += 1)
    yield `${legal.slice(0, 55)}_${digest(name, attempt).slice(0, 8)}`;
}

function* idsFor(id: string): Generator<string> {
  if (LEGAL_ID.test(id)) yield id;
  for (let attempt = 0; ; attempt += 1) yield digest(id, attempt).slice(0, 9);
}

/** Of the JSON, in which half surrogates differ from each other. */
const digest = (text: string, attempt: number): string =>
  createHash("sha256")
    .update(JSON.stringify([text, attempt]))
    .digest("hex");
