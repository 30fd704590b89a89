/** Up to the last `@` in front of the host: also a password that holds one unencoded. */
const PASSWORD_IN_URL = /\b([a-z][a-z0-9+.-]*:\/\/[^\s:@/"']*):[^\s/"']+@/gi;

const SECRET_IN_QUERY =
  /([?&][\w-]*(?:password|passwd|secret|token|api[-_]?key|access[-_]?key|signature)=)[^&\s"'#]+/gi;

const BEARER = /\bBearer [\w*.~+/=-]{4,}/g;

/** As OpenAI, and who follows it, makes keys. */
const KEY = /\bsk-[\w*.-]+/g;

/** Characters of a key that may be shown in a row: fewer tell nobody anything, and more are part of a key. */
const SHOWN = 8;

/** Text without what is secret by its form alone: passwords and keys inside URLs, `sk-…` keys, bearer tokens. */
export const maskSecrets = (text: string): string =>
  text
    .replace(PASSWORD_IN_URL, "$1:…@")
    .replace(SECRET_IN_QUERY, "$1…")
    .replace(BEARER, "Bearer …")
    .replace(KEY, "[key]");

/**
 * Text without this key, also where somebody changed it: in other case, percent-encoded, as base64, or a piece of it that
 * is longer than 8 characters. Linear in the length of the text, for a key of a given length.
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

/** ASCII letters alone: other folding changes the length of a text. */
const fold = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
