import { AgnoChatError } from "../errors.js";
import type { JsonValue, SessionState, StatePatch } from "../memory/memory.js";
import type { StateUpdater } from "../tools/tool.js";
import { applied, jsonIn, type StateChanges } from "./run-state.js";

/** The arguments of `Memory.add` that store the state changes of a run. */
export interface StoredChanges {
  readonly state: StatePatch;
  readonly expected: StatePatch;
}

/**
 * Applies the changes of a run that began with the state `base` to the state stored now.
 * @throws {AgnoChatError} `STATE_CONFLICT` when a change depends on a value that was replaced
 *   meanwhile, or cannot be applied to the new one
 */
export function changesOn(
  stored: SessionState,
  changes: StateChanges,
  base: SessionState,
): StoredChanges {
  const state = emptyPatch();
  const expected = emptyPatch();
  for (const [key, change] of changes) {
    const before = jsonIn(stored, key);
    const json = change.kind === "updated" ? reapply(key, change.updates, before) : change.json;
    if (change.kind !== "set") {
      // A value that was read and put back is no change, whatever is stored by now.
      if (change.kind === "derived" && json === jsonIn(base, key)) continue;
      if (change.kind === "derived" && before !== jsonIn(base, key)) throw conflict(key);
      expected[key] = before === undefined ? undefined : stored[key];
    }
    state[key] = json === undefined ? undefined : (JSON.parse(json) as JsonValue);
  }
  return { state, expected };
}

function reapply(
  key: string,
  updates: readonly StateUpdater[],
  before: string | undefined,
): string | undefined {
  try {
    return updates.reduce((json, update) => applied(key, update, json), before);
  } catch (cause) {
    throw conflict(key, cause);
  }
}

type Patch = Record<string, JsonValue | undefined>;

/** Without a prototype, so that `__proto__` is only a key. */
const emptyPatch = (): Patch => Object.create(null) as Patch;

const conflict = (key: string, cause?: unknown): AgnoChatError =>
  new AgnoChatError(
    "STATE_CONFLICT",
    `Another process changed ${JSON.stringify(key.slice(0, 64))} in the session state. Nothing was stored.`,
    { hint: "Send the message again.", cause },
  );
