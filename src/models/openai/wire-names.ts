import { createHash } from "node:crypto";
import { callsOf, type ToolCall } from "../../messages.js";
import type { ModelRequest } from "../model.js";

/** A tool name that every server accepts. */
const LEGAL_NAME = /^[\w-]{1,64}$/;

/** A call id that every server accepts; Mistral accepts no other. */
const LEGAL_ID = /^[a-zA-Z0-9]{9}$/;

/**
 * Maps a request's tool names to the names sent: a history may hold names that only another server
 * accepted. A legal name is sent as is, any other under a legal name that no other tool has. The
 * same request always gets the same names.
 */
export class WireNames {
  readonly #sent = new Map<string, string>();
  readonly #originals = new Map<string, string>();

  constructor({ messages, tools = [] }: ModelRequest) {
    const names = [...tools, ...messages.flatMap(callsOf)].map(({ name }) => name);
    // Legal names first, so that no replacement takes one of them.
    for (const name of names.filter((name) => LEGAL_NAME.test(name))) this.#add(name);
    for (const name of names) this.#add(name);
  }

  toSent(name: string): string {
    return this.#sent.get(name) ?? name;
  }

  /** The tool that a model called. A name that was never sent stays as it is. */
  toOriginal(sent: string): string {
    return this.#originals.get(sent) ?? sent;
  }

  #add(name: string): void {
    if (this.#sent.has(name)) return;
    const sent = firstFree(namesFor(name), this.#originals);
    this.#sent.set(name, sent);
    this.#originals.set(sent, name);
  }
}

/**
 * Maps the call ids of a request to the ids sent. Pass it the messages in order: it gives every
 * call an id of its own, even when a server counted from 0 in each answer, and each result the id
 * of its call.
 */
export class WireIds {
  readonly #used = new Map<string, string>();
  /** The ids sent for each stored id of the newest calls, the next one to be answered first. */
  #unanswered = new Map<string, string[]>();

  /** Returns the ids to send for all calls of one message. */
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

function firstFree(candidates: Iterable<string>, taken: ReadonlyMap<string, unknown>): string {
  for (const candidate of candidates) if (!taken.has(candidate)) return candidate;
  throw new RangeError("no candidate left");
}

/** Yields candidate names for a tool endlessly, the best first. */
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

/** Hashes the JSON, in which lone surrogates stay distinct. */
const digest = (text: string, attempt: number): string =>
  createHash("sha256")
    .update(JSON.stringify([text, attempt]))
    .digest("hex");
