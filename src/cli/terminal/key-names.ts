/** A key, such as `a`, `return`, `ctrl-c` or `left`, and the text it types; "" for none. */
export interface Key {
  readonly name: string;
  readonly text: string;
}

/** By the final letter of a `CSI` or `SS3` sequence. */
const BY_LETTER: Readonly<Record<string, string>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  F: "end",
  H: "home",
};

/** By the number before `~`. */
const BY_NUMBER: Readonly<Record<string, string>> = {
  1: "home",
  3: "delete",
  4: "end",
  7: "home",
  8: "end",
};

const BY_CODE: Readonly<Record<number, string>> = {
  8: "backspace",
  9: "tab",
  10: "enter",
  13: "return",
  27: "escape",
  127: "backspace",
};

/** Modifier bits. A terminal sends their sum plus one. */
const SHIFT = 1;
const ALT = 2;
const CTRL = 4;

/** The key that sends this control character: `return` for CR, `ctrl-c` for U+0003. */
export function controlKey(code: number): Key {
  return named(BY_CODE[code] ?? `ctrl-${String.fromCharCode(code + 0x60)}`);
}

/** The key that sends ESC and this character; undefined for most control characters. */
export function altKey(code: number): Key | undefined {
  const character = code < 0x20 ? undefined : String.fromCharCode(code).toLowerCase();
  const name = BY_CODE[code] ?? character;
  return name === undefined ? undefined : named(`alt-${name}`);
}

/** The key that sends `ESC O` and this letter; undefined for a key that is not used here. */
export function applicationKey(letter: string): Key | undefined {
  const name = BY_LETTER[letter];
  if (name !== undefined) return named(name);
  const withCtrl = BY_LETTER[letter.toUpperCase()]; // as rxvt sends it
  return withCtrl === undefined ? undefined : named(`ctrl-${withCtrl}`);
}

/**
 * The key that sends `CSI` and `rest`; undefined for a key that is not used here and for a
 * terminal's reports: cursor position, features, mouse, focus, key releases.
 */
export function csiKey(rest: string): Key | undefined {
  const [, number = "1", modifiers = "1", final = ""] =
    /^(?:(\d+)(?:;(\d+))?)?([A-Z~u])$/.exec(rest) ?? [];
  const pressed = Number(modifiers) - 1;
  if (final === "u") return unicodeKey(Number(number), pressed);
  const name = final === "~" ? BY_NUMBER[number] : number === "1" ? BY_LETTER[final] : undefined;
  return name === undefined ? undefined : named(modified(name, pressed));
}

/** The form of the kitty keyboard protocol. Some other terminals use it for Shift-Enter. */
function unicodeKey(code: number, pressed: number): Key | undefined {
  if (code === 13 && pressed === SHIFT) return named("enter");
  const isLetter = code >= 0x61 && code <= 0x7a && (pressed & (CTRL | ALT)) !== 0;
  const name = isLetter ? String.fromCharCode(code) : BY_CODE[code];
  return name === undefined ? undefined : named(modified(name, pressed));
}

function modified(name: string, pressed: number): string {
  return `${pressed & CTRL ? "ctrl-" : ""}${pressed & ALT ? "alt-" : ""}${name}`;
}

const named = (name: string): Key => ({ name, text: "" });
