/** Matches up to the last `@` before the host, since a password may contain an unencoded one. */
const PASSWORD_IN_URL = /\b([a-z][a-z0-9+.-]*:\/\/[^\s:@/"']*):[^\s/"']+@/gi;

const SECRET_IN_QUERY =
  /([?&][\w-]*(?:password|passwd|secret|token|api[-_]?key|access[-_]?key|signature)=)[^&\s"'#]+/gi;

const BEARER = /\bBearer [\w*.~+/=-]{4,}/g;

/** The form of keys of OpenAI and of providers that copy it. */
const KEY = /\bsk-[\w*.-]+/g;

/** Consecutive characters of a key that may be shown; more would reveal part of the key. */
const SHOWN = 8;

/** Masks what looks like a secret: passwords and keys inside URLs, `sk-…` keys, bearer tokens. */
export const maskSecrets = (text: string): string =>
  text
    .replace(PASSWORD_IN_URL, "$1:…@")
    .replace(SECRET_IN_QUERY, "$1…")
    .replace(BEARER, "Bearer …")
    .replace(KEY, "[key]");

/**
 * Masks this key in a text, even in other case, percent-encoded, as base64, or a piece of more than
 * 8 characters. Linear in the length of the text, for a key of a given length.
 */
export function maskKey(text: string, key: string): string {
  const forms = [key, encodeURIComponent(key), Buffer.from(key).toString("base64")];
  return forms.reduce(maskPieces, text);
}

function maskPieces(text: string, key: string): string {
  const shortest = Math.min(key.length, SHOWN + 1);
  const pieces = new Set<string>();
  const folded = fold(key);
  for (let at = 0; at + shortest <= folded.length; at += 1)
    pieces.add(folded.slice(at, at + shortest));
  const foldedText = fold(text);
  let masked = "";
  let shownUpTo = 0;
  for (let at = 0; at + shortest <= text.length; at += 1) {
    if (!pieces.has(foldedText.slice(at, at + shortest))) continue;
    let end = at + shortest;
    while (end < text.length && pieces.has(foldedText.slice(end + 1 - shortest, end + 1))) end += 1;
    masked += `${text.slice(shownUpTo, at)}[key]`;
    shownUpTo = end;
    at = end - 1;
  }
  return masked + text.slice(shownUpTo);
}

/** Folds ASCII letters only: other folding can change the length of a text. */
const fold = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
