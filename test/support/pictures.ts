/** The smallest pictures of each kind that are told by their first bytes. */
const bytes = (...parts: (string | number)[]): Uint8Array =>
  Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "number" ? [part] : [...part].map((character) => character.charCodeAt(0)),
    ),
  );

/** A whole PNG of one pixel. */
export const PNG = new Uint8Array(
  Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
    "base64",
  ),
);

export const JPEG = bytes(0xff, 0xd8, 0xff, 0xe0, 0, 16, "JFIF");
export const GIF = bytes("GIF89a", 1, 0, 1, 0);
export const WEBP = bytes("RIFF", 10, 0, 0, 0, "WEBPVP8 ");

/** A picture that no other test has: the text follows its end. */
export const pngWith = (text: string): Uint8Array =>
  Uint8Array.from([...PNG, ...new TextEncoder().encode(text)]);
