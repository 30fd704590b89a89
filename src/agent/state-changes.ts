import type { JsonValue, SessionState, StatePatch } from "../memory/memory.js";
import { decodeState, encodePatch } from "../memory/state.js";

/** What changes in a session state from now on. */
export class StateChanges {
  readonly #state: SessionState;
  readonly #before: ReadonlyMap<string, string | undefined>;

  constructor(state: SessionState) {
    this.#state = state;
    this.#before = new Map(encodePatch(state));
  }

  /**
   * The changes so far, as copies: what happens to the state later does not reach them.
   * @throws {AgnoChatError} `INVALID_STATE` for a value that is not JSON
   */
  patch(): StatePatch {
    const now = new Map(encodePatch(this.#state));
    const changed = [...now].filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && entry[1] !== this.#before.get(entry[0]),
    );
    const patch: Record<string, JsonValue | undefined> = decodeState(changed);
    for (const key of this.#before.keys()) if (now.get(key) === undefined) patch[key] = undefined;
    return patch;
  }
}
