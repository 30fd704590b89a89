import { isPlainObject } from "../json.js";

/**
 * Converts a tool's result to JSON text, and undefined to `done`. Never drops or alters a part of
 * it.
 * @throws {Error} that names the value and its key, for anything that is not JSON at any depth;
 *   what a getter or `toJSON` of the result throws
 */
export function jsonText(result: unknown): string {
  if (result === undefined) return "done";
  try {
    return JSON.stringify(result, refuseLoss);
  } catch (thrown) {
    if (thrown instanceof RangeError) throw new NotJson("something too deep", "");
    // Engines tell it in words alone.
    const isCycle = thrown instanceof TypeError && thrown.message.includes("circular");
    throw isCycle ? new NotJson("something that contains itself", "") : thrown;
  }
}

class NotJson extends Error {
  constructor(what: string, key: string) {
    const place = key === "" ? "" : ` at ${JSON.stringify(key.slice(0, 64))}`;
    super(`The tool returned something that is not JSON: ${what}${place}.`);
  }
}

/**
 * A replacer for JSON.stringify. `value` is the result of `toJSON` where there is one, as for a
 * Date.
 */
function refuseLoss(key: string, value: unknown): unknown {
  const what = notJsonIn(value);
  if (what !== undefined) throw new NotJson(what, key);
  return value;
}

/** Names a value that JSON cannot represent; undefined for any other. */
function notJsonIn(value: unknown): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : String(value);
  if (typeof value === "bigint") return "a bigint";
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol") return "a symbol";
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  if (value instanceof Error) return `an error (${value.message})`;
  const kind = Object.prototype.toString.call(value).slice("[object ".length, -1);
  if (kind !== "Object") return `a ${kind}`;
  return hasNoFields(value) ? `a ${value.constructor.name} without fields` : undefined;
}

/** True for an instance of a class that keeps its data private. */
const hasNoFields = (value: object): boolean =>
  !isPlainObject(value) && Object.keys(value).length === 0;
