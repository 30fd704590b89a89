import { frozen } from "../frozen.js";
import type { JsonValue, SessionState } from "../memory/memory.js";
import { encodeValue } from "../memory/state.js";
import type { StateUpdater } from "../tools/tool.js";

/**
 * How a run has changed one key. `json` is the new value as JSON text; undefined if the key was
 * deleted.
 */
export type KeyChange =
  /** Set by a tool that had not read the key: overwrites whatever is stored. */
  | { readonly kind: "set"; readonly json: string | undefined }
  /** Set by a tool that had read the key: valid only while the value it read is still stored. */
  | { readonly kind: "derived"; readonly json: string | undefined }
  /** Changed by functions, which can be applied again to another stored value. */
  | {
      readonly kind: "updated";
      readonly json: string | undefined;
      readonly updates: readonly StateUpdater[];
    };

/** Changes by key. */
export type StateChanges = ReadonlyMap<string, KeyChange>;

/** The session state of a run under way: what it began with, and what its tools have changed. */
export class RunState {
  readonly #base: SessionState;
  readonly #changes = new Map<string, KeyChange>();
  readonly #versions = new Map<string, number>();
  /** Why the current value of a key cannot be stored, by key. */
  readonly #failures = new Map<string, unknown>();

  constructor(base: SessionState) {
    this.#base = base;
  }

  /** The value of a key as JSON text; undefined if there is none. */
  jsonOf(key: string): string | undefined {
    const change = this.#changes.get(key);
    return change === undefined ? jsonIn(this.#base, key) : change.json;
  }

  /** Rises with every write to the key. */
  versionOf(key: string): number {
    return this.#versions.get(key) ?? 0;
  }

  keys(): string[] {
    const keys = new Set([...Object.keys(this.#base), ...this.#changes.keys()]);
    return [...keys].filter((key) => this.jsonOf(key) !== undefined);
  }

  /** @param hasRead Whether the new value may depend on the previous one. */
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

  /**
   * Changes nothing if it throws.
   * @throws what `change` throws; `INVALID_STATE` when its result is not JSON
   */
  update(key: string, change: StateUpdater): void {
    const json = applied(key, change, this.jsonOf(key));
    const before = this.#changes.get(key) ?? { kind: "updated", json, updates: [] };
    if (before.kind !== "updated") this.#write(key, { ...before, json });
    else this.#write(key, { kind: "updated", json, updates: [...before.updates, change] });
  }

  /**
   * A copy of the changes so far.
   * @throws {AgnoChatError} `INVALID_STATE` when a tool has set a value that is not JSON
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

/** Applies a change to a value; both sides are JSON text. The function gets a frozen value. */
export function applied(
  key: string,
  change: StateUpdater,
  json: string | undefined,
): string | undefined {
  const value = json === undefined ? undefined : frozen(JSON.parse(json) as JsonValue);
  const result: unknown = change(value);
  if (result instanceof Promise)
    throw new TypeError("The function given to update must return the new value, not a promise.");
  return encodeValue(key, result as JsonValue | undefined);
}
