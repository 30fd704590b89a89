import { AgnoChatError } from "../../errors.js";

/** A value that is held in memory whole, in UTF-16 units. A longer one is passed over. */
export const MOST_CHARACTERS = 32 * 1024 * 1024;

/**
 * What a document of JSON holds, in its order:
 *
 * - `begin` and `end`: of an object that is not an element of a list.
 * - `member`: a member of such an object.
 * - `element`: of a list, or of the list `messages` of such an object.
 *
 * `value` is undefined if it was too long.
 */
export type Piece =
  | { readonly kind: "begin" | "end" }
  | { readonly kind: "member"; readonly key: string; readonly value: unknown }
  | { readonly kind: "element"; readonly value: unknown };

/** `messages` is a list of elements, the rest of an object its members. */
const STREAMED_KEY = "messages";

type Container = "array" | "object";

/** What may come next. */
type Expected = "value" | "value or end" | "key" | "key or end" | "colon" | "comma or end";

/**
 * Reads JSON as it comes, without holding more than one value: a list, an object, or many of them
 * one after the other, as in JSON lines.
 * @throws {AgnoChatError} `INVALID_INPUT` if it is not JSON, or ends in the middle
 */
export async function* jsonPieces(
  texts: AsyncIterable<string>,
  mostCharacters = MOST_CHARACTERS,
): AsyncGenerator<Piece, void, undefined> {
  const reader = new PieceReader(mostCharacters);
  for await (const text of texts) yield* reader.read(text);
  reader.end();
}

class PieceReader {
  readonly #mostCharacters: number;
  readonly #containers: Container[] = [];
  #expected: Expected = "value";
  /** The key whose value comes next. */
  #key: string | undefined;
  #capture: Capture | undefined;
  /** Characters before the text that is being read. */
  #before = 0;

  constructor(mostCharacters: number) {
    this.#mostCharacters = mostCharacters;
  }

  *read(text: string): Generator<Piece> {
    for (let index = 0; index < text.length; ) {
      if (this.#capture === undefined) {
        const piece = this.#step(text, index);
        if (piece !== undefined) yield piece;
        // The first character of a captured value is part of it.
        if (this.#capture === undefined) index += 1;
        continue;
      }
      const end = this.#capture.take(text, index);
      index = end ?? text.length;
      if (end !== undefined) {
        const piece = this.#captured(this.#capture, this.#before + index);
        if (piece !== undefined) yield piece;
      }
    }
    this.#before += text.length;
  }

  end(): void {
    if (this.#containers.length > 0 || this.#capture !== undefined)
      throw new AgnoChatError("INVALID_INPUT", "The file ends in the middle: it is cut off.", {
        hint: "Download it again.",
      });
  }

  #step(text: string, index: number): Piece | undefined {
    const character = text[index] as string;
    if (/\s/.test(character)) return undefined;
    const container = this.#containers.at(-1);
    if (container === undefined) return this.#open(character, index);
    switch (this.#expected) {
      case "value":
      case "value or end":
        if (character === "]" && this.#expected === "value or end") return this.#close("array");
        return this.#beginValue(container, character);
      case "key":
      case "key or end":
        if (character === "}" && this.#expected === "key or end") return this.#close("object");
        if (character !== '"') throw notJson(this.#before + index);
        this.#capture = new Capture(this.#mostCharacters, character);
        return undefined;
      case "colon":
        if (character !== ":") throw notJson(this.#before + index);
        this.#expected = "value";
        return undefined;
      case "comma or end":
        if (character === ",") {
          this.#expected = container === "array" ? "value" : "key";
          return undefined;
        }
        if (character === (container === "array" ? "]" : "}")) return this.#close(container);
        throw notJson(this.#before + index);
    }
  }

  /** The start of a whole document. */
  #open(character: string, index: number): Piece | undefined {
    if (character === "[") {
      this.#containers.push("array");
      this.#expected = "value or end";
      return undefined;
    }
    if (character !== "{") throw notJson(this.#before + index);
    this.#containers.push("object");
    this.#expected = "key or end";
    return { kind: "begin" };
  }

  #beginValue(container: Container, character: string): undefined {
    if (container === "object" && this.#key === STREAMED_KEY && character === "[") {
      this.#containers.push("array");
      this.#key = undefined;
      this.#expected = "value or end";
    } else this.#capture = new Capture(this.#mostCharacters, character);
  }

  #close(container: Container): Piece | undefined {
    this.#containers.pop();
    this.#expected = "comma or end";
    return container === "object" ? { kind: "end" } : undefined;
  }

  /** A whole value, or a key. */
  #captured(capture: Capture, position: number): Piece | undefined {
    this.#capture = undefined;
    const value = parsed(capture.text, position);
    if (this.#expected.startsWith("key")) {
      this.#key = String(value);
      this.#expected = "colon";
      return undefined;
    }
    this.#expected = "comma or end";
    const key = this.#key;
    this.#key = undefined;
    return key === undefined ? { kind: "element", value } : { kind: "member", key, value };
  }
}

/** The text of one value, up to its end. */
class Capture {
  readonly #mostCharacters: number;
  readonly #kind: "scalar" | "string" | "nested";
  #parts: string[] = [];
  #length = 0;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  constructor(mostCharacters: number, first: string) {
    this.#mostCharacters = mostCharacters;
    this.#kind = first === '"' ? "string" : /[[{]/.test(first) ? "nested" : "scalar";
  }

  /** Undefined if it was too long. */
  get text(): string | undefined {
    return this.#length > this.#mostCharacters ? undefined : this.#parts.join("");
  }

  /** Takes what belongs to the value. Returns where it ends, undefined if not in this text. */
  take(text: string, start: number): number | undefined {
    const end = this.#endIn(text, start);
    this.#length += (end ?? text.length) - start;
    if (this.#length > this.#mostCharacters) this.#parts = [];
    else this.#parts.push(text.slice(start, end));
    return end;
  }

  #endIn(text: string, start: number): number | undefined {
    if (this.#kind === "scalar") return nextOf(SCALAR_END, text, start);
    for (let index = start; index < text.length; index += 1) {
      if (this.#isEscaped) {
        this.#isEscaped = false;
        continue;
      }
      const found = nextOf(this.#isInString ? IN_STRING : OUTSIDE_STRINGS, text, index);
      if (found === undefined) return undefined;
      index = found;
      const character = text[index] as string;
      if (character === "\\") this.#isEscaped = true;
      else if (character === '"') this.#isInString = !this.#isInString;
      else this.#depth += "[{".includes(character) ? 1 : -1;
      if (this.#depth === 0 && !this.#isInString) return index + 1;
    }
    return undefined;
  }
}

/** What may change where a reader is; patterns look for it faster than a loop. */
const IN_STRING = /["\\]/g;
const OUTSIDE_STRINGS = /["[\]{}]/g;
const SCALAR_END = /[,\]} \t\n\r]/g;

/** Where the next character that a pattern names stands, from `start` on. */
function nextOf(pattern: RegExp, text: string, start: number): number | undefined {
  pattern.lastIndex = start;
  return pattern.test(text) ? pattern.lastIndex - 1 : undefined;
}

/** Undefined for a value that was too long. */
function parsed(text: string | undefined, position: number): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw notJson(position);
  }
}

const notJson = (position: number): AgnoChatError =>
  new AgnoChatError("INVALID_INPUT", `The file is not JSON near character ${position + 1}.`, {
    hint: "Import a file as it was exported.",
  });
