import { isDeepStrictEqual } from "node:util";
import { isJsonObject, parseJson } from "../../json.js";

/**
 * Adds a piece to the arguments of a call. Arguments are a list of versions, since some servers
 * send a `{}` before the real ones, or send all of them again at the end: whatever starts a new
 * object after a whole one is a new version.
 */
export function withPiece(versions: readonly string[], piece: string): string[] {
  const newest = versions.at(-1) ?? "";
  const isNewVersion =
    /^\s*\{/.test(piece) && (isPlaceholder(newest) || /\}\s*$/.test(newest)) && isComplete(newest);
  return isNewVersion ? [...versions, piece] : [...versions.slice(0, -1), newest + piece];
}

/**
 * The versions that differ, without placeholders. There is at most one unless the server
 * contradicts itself.
 */
export function distinctVersions(versions: readonly string[]): string[] {
  const real = versions.filter((version) => !isPlaceholder(version));
  return real.filter((version, index) => index === 0 || !isSame(version, real[index - 1] ?? ""));
}

/** True for nothing or `{}`, which a call can do without. */
const isPlaceholder = (text: string): boolean => /^\s*(\{\s*\}\s*)?$/.test(text);

const isComplete = (text: string): boolean => isPlaceholder(text) || isJsonObject(text);

const isSame = (one: string, other: string): boolean =>
  one === other || isDeepStrictEqual(parseJson(one) ?? one, parseJson(other) ?? other);
