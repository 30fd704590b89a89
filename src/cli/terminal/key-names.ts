/** A key, for example `a`, `return`, `ctrl-c`, `alt-b`, `left`, and the text it types, "" when it types none. */
export interface Key {
  readonly name: string;
  readonly text: string;
}

/** Finals of `CSI` and `SS3`. */
const BY_LETTER: Readonly<Record<string, string>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  F: "end",
  H: "home",
};

/** Numbers before `~`. */
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

/** Bits of a modifier, which is sent as one more than their sum. */
const SHIFT = 1;
const ALT = 2;
const CTRL = 4;

/** The key a control character stands for: `return` for CR, `ctrl-c` for U+0003. */
export function controlKey(code: number): Key {
  return named(BY_CODE[code] ?? `ctrl-${String.fromCharCode(code + 0x60)}`);
}

/** The key that sends ESC and this character; undefined for a control that Alt does not go with. */
export function altKey(code: number): Key | undefined {
  const character = code < 0x20 ? undefined : String.fromCharCode(code).toLowerCase();
  const name = BY_CODE[code] ?? character;
  return name === undefined ? undefined : named(`alt-${name}`);
}

/** The key that sends `ESC O` and this letter; undefined for one without a use here. */
export function applicationKey(letter: string): Key | undefined {
  const name = BY_LETTER[letter];
  if (name !== undefined) return named(name);
  const withCtrl = BY_LETTER[letter.toUpperCase()]; // as rxvt sends it
  return withCtrl === undefined ? undefined : named(`ctrl-${withCtrl}`);
}

/**
 * The key that sends `CSI` and `rest`; undefined for one without a use here, and for whatever a terminal reports by itself:
 * where the cursor is, what it can do, mouse, focus, a key let go.
 */
export function csiKey(rest: string): Key | undefined {
  const [, number = "1", modifiers = "1", final = ""] =
    /^(?:(\d+)(?:;(\d+))?)?([A-Z~u])$/.exec(rest) ?? [];
  const pressed = Number(modifiers) - 1;
  if (final === "u") return unicodeKey(Number(number), pressed);
  const name = final === "~" ? BY_NUMBER[number] : number === "1" ? BY_LETTER[final] : undefined;
  return name === undefined ? undefined : named(modified(name, pressed));
}

/** As terminals in the mode of kitty send keys that type nothing, and some others Shift-Enter. */
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
