const ESC = "\x1b";

/** One of each kind of text that a terminal acts on, JSON allows, or a careless program loses. */
export const HOSTILE: readonly string[] = [
  `${ESC}[2J${ESC}]52;c;aGk=\x07 clear and copy`,
  `${ESC}]8;;http://evil.example${ESC}\\bank${ESC}]8;;${ESC}\\ hyperlink`,
  `${ESC}]0;root@host\x07${ESC}kroot${ESC}\\ titles`,
  `${ESC}[6n${ESC}[c${ESC}P$q"p${ESC}\\ reports`,
  `${ESC}_Gf=100;AAAA${ESC}\\ pictures`,
  `${ESC}c${ESC}[!p${ESC}(0 resets`,
  `\x9b31m\x9d0;title\x9c C1`,
  `\x90$q unterminated`,
  "NUL \u0000 DEL \x7f BS \b BEL \x07 CR \r\n",
  "lone \ud800 and \udfff halves",
  "bidi \u202e\u2066\u061c\u200e\u200f marks",
  "lines \u2028 \u2029 \x85",
  "tags \u{e0041}\u{e007f}",
  "世界 👩‍👩‍👧 e\u0301 \ufeff",
  '"quotes" \\ \\u0000 `ticks`',
  `forged\r${ESC}[Gbob> hello`,
];

/** Characters that a terminal acts on. */
export const CONTROLS =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u;
