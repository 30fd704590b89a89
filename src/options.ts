import { AgnoChatError } from "./errors.js";
import { nearest } from "./nearest.js";

/**
 * The keys an options object may have. The compiler checks that it lists every key of `Options`.
 */
export type KnownKeys<Options> = Readonly<Record<keyof Required<Options>, true>>;

/**
 * Refuses unknown keys in an options object. Otherwise a misspelt option would be ignored silently,
 * and a misspelt `userId` would mix two users.
 * @param what The function that takes the options, such as "run".
 * @throws {AgnoChatError} `USAGE` with the nearest known key
 */
export function refuseUnknownKeys<Options extends object>(
  options: Options,
  known: KnownKeys<Options>,
  what: string,
): void {
  if (typeof options !== "object" || options === null)
    throw new AgnoChatError("USAGE", `The options of ${what} are not an object.`);
  // A memory checks the options of every read and add, so a list of keys would be too slow.
  for (const key in options)
    if (known[key] !== true && Object.hasOwn(options, key))
      throw unknownKey(key, Object.keys(known), what);
}

function unknownKey(key: string, known: readonly string[], what: string): AgnoChatError {
  const near = nearest(key, known);
  return new AgnoChatError("USAGE", `${what} takes no option ${JSON.stringify(key)}.`, {
    hint: near === undefined ? `It takes ${known.join(", ") || "none"}.` : `Did you mean ${near}?`,
  });
}
