import type { JsonValue, SessionState } from "../memory/memory.js";
import { encodeValue } from "../memory/state.js";
import type { StateUpdater } from "../tools/tool.js";
import { RunState } from "./run-state.js";

/** `inspect.custom`, without loading `node:util`. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** A key as one tool call knows it. */
interface Known {
  /** A copy for the tool, which may change it in place. */
  readonly value: JsonValue | undefined;
  /** `value` as JSON text when the call last read or wrote the key. */
  readonly json: string | undefined;
  readonly version: number;
  readonly hasRead: boolean;
}

/**
 * The session state as one tool call sees it. Refuses to write a key that the call had read if
 * another call has written it since. Call `settle` when the tool has returned, and `end` when its
 * result is known.
 */
export class StateView {
  readonly state: SessionState;
  #run: RunState;
  readonly #known = new Map<string, Known>();

  constructor(run: RunState) {
    this.#run = run;
    this.state = proxyOf(this);
  }

  readonly update = (key: string, change: StateUpdater): JsonValue | undefined => {
    this.#settle(key);
    const known = this.#known.get(key);
    const isCurrent = known?.version === this.#run.versionOf(key);
    this.#run.update(key, change);
    // A key that was stale before the update stays stale.
    return known === undefined || isCurrent ? this.#learn(key) : parsed(this.#run.jsonOf(key));
  };

  /** Applies changes made in place. @throws when another call wrote the same key meanwhile */
  settle(): void {
    for (const key of this.#known.keys()) this.#settle(key);
  }

  end(): void {
    // A tool that goes on, or keeps its state for a call of another user, gets an empty one of its
    // own. Nothing throws: in a timer of the tool, that would end the process.
    this.#run = new RunState({});
    this.#known.clear();
  }

  get(key: string): JsonValue | undefined {
    const known = this.#known.get(key);
    if (known?.version !== this.#run.versionOf(key)) {
      this.#settle(key);
      return this.#learn(key);
    }
    if (!known.hasRead) this.#known.set(key, { ...known, hasRead: true });
    return known.value;
  }

  set(key: string, value: JsonValue | undefined): void {
    const known = this.#known.get(key);
    if (known?.hasRead) this.#refuseStale(key, known);
    const hasRead = known?.hasRead ?? false;
    this.#run.set(key, value, hasRead);
    this.#know(key, value, hasRead);
  }

  keys(): string[] {
    return this.#run.keys();
  }

  #learn(key: string): JsonValue | undefined {
    const value = parsed(this.#run.jsonOf(key));
    this.#know(key, value, true);
    return value;
  }

  #know(key: string, value: JsonValue | undefined, hasRead: boolean): void {
    const json = this.#run.jsonOf(key);
    this.#known.set(key, { value, json, version: this.#run.versionOf(key), hasRead });
  }

  #settle(key: string): void {
    const known = this.#known.get(key);
    if (typeof known?.value !== "object") return;
    if (jsonOrNothing(key, known.value) === known.json) return;
    this.#refuseStale(key, known);
    this.#run.set(key, known.value, true);
    this.#know(key, known.value, true);
  }

  #refuseStale(key: string, { version }: Known): void {
    if (version === this.#run.versionOf(key)) return;
    const name = JSON.stringify(key.slice(0, 64));
    throw new Error(
      `Another tool changed ${name} in the session state meanwhile, so this change was dropped. Call it again, or change the key with update.`,
    );
  }
}

function jsonOrNothing(key: string, value: JsonValue): string | undefined {
  try {
    return encodeValue(key, value);
  } catch {
    return undefined;
  }
}

const parsed = (json: string | undefined): JsonValue | undefined =>
  json === undefined ? undefined : (JSON.parse(json) as JsonValue);

function proxyOf(view: StateView): SessionState {
  const target: SessionState = Object.create(null);
  // Node would show the target of the proxy, which is empty.
  Object.defineProperty(target, INSPECT, {
    value: () => ({ ...proxy }),
    configurable: true,
  });
  const proxy = new Proxy(target, {
    get: (_, key) => (typeof key === "symbol" ? Reflect.get(target, key) : view.get(key)),
    has: (_, key) => typeof key === "string" && view.get(key) !== undefined,
    ownKeys: () => view.keys(),
    getOwnPropertyDescriptor(_, key) {
      const value = typeof key === "symbol" ? undefined : view.get(key);
      if (value === undefined) return undefined;
      return { value, writable: true, enumerable: true, configurable: true };
    },
    set(_, key, value) {
      if (typeof key === "symbol") return false;
      view.set(key, value);
      return true;
    },
    defineProperty(_, key, { value }) {
      if (typeof key === "symbol") return false;
      view.set(key, value);
      return true;
    },
    deleteProperty(_, key) {
      if (typeof key === "string") view.set(key, undefined);
      return true;
    },
    preventExtensions: () => false,
    setPrototypeOf: () => false,
  });
  return proxy;
}
