import type { JsonValue, SessionState } from "../memory/memory.js";
import { encodeValue } from "../memory/state.js";
import type { StateChange } from "../tools/tool.js";
import { frozen } from "./frozen.js";

/** What became of one key during a run. `json` is its value now, as JSON text; `undefined` when it is deleted. */
export type KeyChange =
  /** Set by a tool that had not read it: what is stored does not matter. */
  | { readonly kind: "set"; readonly json: string | undefined }
  /** Set by a tool that had read what the run began with: right only as long as that is still stored. */
  | { readonly kind: "derived"; readonly json: string | undefined }
  /** Changed by functions, which can be applied again to whatever is stored. */
  | {
      readonly kind: "updated";
      readonly json: string | undefined;
      readonly updates: readonly StateChange[];
    };

/** The changes by key. */
export type StateChanges = ReadonlyMap<string, KeyChange>;

/** The session state of a run under way: what was read when it began, and what its tools have changed since. */
export class RunState {
  readonly #base: SessionState;
  readonly #changes = new Map<string, KeyChange>();
  readonly #versions = new Map<string, number>();
  /** Why a value that a tool left cannot be stored, by key. */
  readonly #failures = new Map<string, unknown>();

  constructor(base: SessionState) {
    this.#base = base;
  }

  /** The value of a key as JSON text; `undefined` when there is none. */
  jsonOf(key: string): string | undefined {
    const change = this.#changes.get(key);
    return change === undefined ? jsonIn(this.#base, key) : change.json;
  }

  /** Another number whenever the key was written. */
  versionOf(key: string): number {
    return this.#versions.get(key) ?? 0;
  }

  keys(): string[] {
    const keys = new Set([...Object.keys(this.#base), ...this.#changes.keys()]);
    return [...keys].filter((key) => this.jsonOf(key) !== undefined);
  }

  /** @param hasRead Whether the value may have been made from the one that was there. */
  set(key: string, value: JsonValue | undefined, hasRead: boolean): void {
    const isOwn = this.#changes.get(key)?.kind === "set";
    const kind = hasRead && !isOwn ? "derived" : "set";
    try {
      this.#write(key, { kind, json: encodeValue(key, value) });
    } catch (failure) {
      this.#write(key, { kind, json: undefined });
      this.#failures.set(key, failure);
    }
  }

  /** @throws what `change` throws; `INVALID_STATE` when it returns what is not JSON. Then nothing is changed. */
  update(key: string, change: StateChange): void {
    const json = applied(key, change, this.jsonOf(key));
    const before = this.#changes.get(key) ?? { kind: "updated", json, updates: [] };
    if (before.kind !== "updated") this.#write(key, { ...before, json });
    else this.#write(key, { kind: "updated", json, updates: [...before.updates, change] });
  }

  /**
   * The changes so far; later ones do not reach them.
   * @throws {AgnoChatError} `INVALID_STATE` when a tool left a value that is not JSON
   */
  changes(): StateChanges {
    for (const failure of this.#failures.values()) throw failure;
    return new Map(this.#changes);
  }

  #write(key: string, change: KeyChange): void {
    this.#failures.delete(key);
    this.#changes.set(key, change);
    this.#versions.set(key, this.versionOf(key) + 1);
  }
}

/** The value of a key in a state as JSON text. */
export const jsonIn = (state: SessionState, key: string): string | undefined =>
  Object.hasOwn(state, key) ? encodeValue(key, state[key]) : undefined;

/** What a change makes of a value, both as JSON text. The value it is given is frozen. */
export function applied(
  key: string,
  change: StateChange,
  json: string | undefined,
): string | undefined {
  const value = json === undefined ? undefined : frozen(JSON.parse(json) as JsonValue);
  const result: unknown = change(value);
  if (result instanceof Promise)
    throw new TypeError("update needs a function that returns the new value at once, no promise.");
  return encodeValue(key, result as JsonValue | undefined);
}
