import { AgnoChatError } from "../errors.js";
import type { JsonValue, SessionState, StatePatch } from "../memory/memory.js";
import type { StateChange } from "../tools/tool.js";
import { applied, jsonIn, type StateChanges } from "./run-state.js";

/** What `Memory.add` is given to store the changes of a run. */
export interface StoredChanges {
  readonly state: StatePatch;
  readonly expected: StatePatch;
}

/**
 * The changes of a run that began with `base`, on top of what is stored by now.
 * @throws {AgnoChatError} `STATE_CONFLICT` when a change was made from a value that is stored no longer, or cannot be
 *   applied to what is
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
    const json = change.kind === "updated" ? again(key, change.updates, before) : change.json;
    if (change.kind !== "set") {
      // A value that was read and put back changes nothing, whatever is stored by then.
      if (change.kind === "derived" && json === jsonIn(base, key)) continue;
      if (change.kind === "derived" && before !== jsonIn(base, key)) throw conflict(key);
      expected[key] = before === undefined ? undefined : stored[key];
    }
    state[key] = json === undefined ? undefined : (JSON.parse(json) as JsonValue);
  }
  return { state, expected };
}

function again(
  key: string,
  updates: readonly StateChange[],
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
    `Another process changed ${JSON.stringify(key.slice(0, 64))} of the session state during this run, so nothing of the run was stored.`,
    { hint: "Send the message again.", cause },
  );
