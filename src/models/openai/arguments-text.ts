import { isDeepStrictEqual } from "node:util";
import { isJsonObject, parseJson } from "./json.js";

/**
 * Adds a piece to the arguments of a call. They are a list, since some servers begin with a `{}` and send the real ones
 * behind it, or send all of them again at the end: a text that begins behind a whole object is another version.
 */
export function withPiece(versions: readonly string[], piece: string): string[] {
  const newest = versions.at(-1) ?? "";
  const isAnother =
    /^\s*\{/.test(piece) && (isHollow(newest) || /\}\s*$/.test(newest)) && isWhole(newest);
  return isAnother ? [...versions, piece] : [...versions.slice(0, -1), newest + piece];
}

/** The versions that differ, without placeholders. One at most, unless the server contradicts itself. */
export function differing(versions: readonly string[]): string[] {
  const real = versions.filter((version) => !isHollow(version));
  return real.filter((version, index) => index === 0 || !isSame(version, real[index - 1] ?? ""));
}

/** Nothing, or an object of nothing: what no call loses anything by. */
const isHollow = (text: string): boolean => /^\s*(\{\s*\}\s*)?$/.test(text);

const isWhole = (text: string): boolean => isHollow(text) || isJsonObject(text);

const isSame = (one: string, other: string): boolean =>
  one === other || isDeepStrictEqual(parseJson(one) ?? one, parseJson(other) ?? other);
