/** A piece of a manual page in the language of man(7). */
export type Roff = string;

/** `text` as it is: nothing in it is taken for a request or an escape. */
export const plain = (text: string): Roff =>
  text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^[.']/gm, "\\&$&");

export const bold = (text: string): Roff => `\\fB${plain(text)}\\fR`;

const italic = (text: string): Roff => `\\fI${plain(text)}\\fR`;

/** Flags or arguments in commander's syntax: typed words in bold, what they name in italics. */
export const syntax = (text: string): Roff =>
  text
    .split(/([<[][^>\]]+[>\]])/)
    .map((part, index) => {
      if (index % 2 === 0) return part.trim() === "" ? part : bold(part);
      const name = italic(part.slice(1, -1));
      return part.startsWith("[") ? `[${name}]` : name;
    })
    .join("")
    .replace(/ +\\fR/g, "\\fR ");

export const section = (title: string, ...body: readonly Roff[]): Roff =>
  [`.SH ${title}`, ...body].join("\n");

export const subsection = (title: string, ...body: readonly Roff[]): Roff =>
  [`.SS ${title}`, ...body].join("\n");

/** A row of a list: what is explained, and the explanation. */
export const item = (tag: Roff, body: Roff): Roff => `.TP\n${tag}\n${body}`;

/** Lines shown as they are. */
export const example = (lines: readonly string[]): Roff =>
  [".PP", ".nf", ".RS 4", ...lines.map(plain), ".RE", ".fi"].join("\n");
