import { AgnoChatError } from "../errors.js";
import { isPlainObject } from "../json.js";
import type { JsonValue, SessionState, StatePatch } from "./memory.js";

/** One change of a session state: a key and its new value as JSON text; `undefined` deletes it. */
export type StateChange = readonly [key: string, json: string | undefined];

/** For how many commits of a session a store keeps what they changed; see `StoreEdits`. */
export const CHANGES_KEPT = 20;

const NOTHING: readonly StateChange[] = [];

/**
 * Encodes a patch as JSON text by key.
 * @throws {AgnoChatError} `INVALID_STATE`, naming the key
 */
export function encodePatch(patch: StatePatch | undefined): readonly StateChange[] {
  if (patch === undefined) return NOTHING;
  if (typeof patch !== "object" || patch === null || Array.isArray(patch))
    throw new AgnoChatError("INVALID_STATE", "Invalid session state: it is not an object.");
  return Object.keys(patch).map((key) => [key, encodeValue(key, patch[key])]);
}

/** Decodes keys and JSON texts to a state; undefined to an empty one. */
export function decodeState(entries?: Iterable<readonly [string, string]>): SessionState {
  const state: SessionState = Object.create(null) as SessionState;
  if (entries === undefined) return state;
  for (const [key, json] of entries) state[key] = JSON.parse(json) as JsonValue;
  return state;
}

/**
 * Encodes one value as JSON text.
 * @throws {AgnoChatError} `INVALID_STATE`, naming the key
 */
export function encodeValue(key: string, value: JsonValue | undefined): string | undefined {
  if (value === undefined) return undefined;
  try {
    return JSON.stringify(value, refuseLoss);
  } catch (cause) {
    throw new AgnoChatError(
      "INVALID_STATE",
      `Invalid session state: ${JSON.stringify(key)} holds a value that is not JSON.`,
      {
        hint: "Use null, booleans, finite numbers, strings, lists and plain objects.",
        cause,
      },
    );
  }
}

/** Throws where JSON.stringify would silently drop a value or convert it, such as a Date. */
function refuseLoss(this: unknown, key: string): unknown {
  const value = (this as Readonly<Record<string, unknown>>)[key];
  const lost =
    typeof value === "function" ||
    typeof value === "symbol" ||
    (typeof value === "number" && !Number.isFinite(value)) ||
    (value === undefined && Array.isArray(this)) ||
    (typeof value === "object" && value !== null && !Array.isArray(value) && !isPlainObject(value));
  if (lost) throw new TypeError("not JSON");
  return value;
}
