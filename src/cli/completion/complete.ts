import type { Io } from "../io.js";
import { type Candidates, candidatesFor } from "./candidates.js";
import { quotedFor, typedLine } from "./shell-words.js";

/** The exit code that tells a shell to complete names of files. */
const FILES = 1;

/**
 * `__complete SHELL …`: prints the candidates for one Tab, a line each, for the scripts of
 * `completion`. Silent about every failure: a shell shows it in the middle of what is typed.
 */
export async function complete([shell = "", ...given]: readonly string[], io: Io): Promise<number> {
  try {
    const ask = ASKED_BY[shell];
    const lines = await ask?.(given, io.env);
    if (lines === "files") return FILES;
    io.stdout.write((lines ?? []).map((line) => `${line}\n`).join(""));
  } catch {
    // Nothing to offer.
  }
  return 0;
}

type Ask = (given: readonly string[], env: Io["env"]) => Promise<readonly string[] | "files">;

const ASKED_BY: Readonly<Record<string, Ask>> = { bash: forBash, zsh: forZsh, fish: forFish };

/**
 * Prints what comes after what is typed of each candidate, behind a mark, since bash has split the
 * word in its own way. bash closes an open quote, unless the last character looks like it.
 */
async function forBash([line = ""]: readonly string[], env: Io["env"]) {
  const { words, current, quote } = typedLine(line);
  const found = await candidatesFor(words.slice(1), current, env);
  if (found === "files") return found;
  return found.map(({ word }) => {
    const rest = quotedFor(quote, word.slice(current.length));
    const isClosing = quote !== "" && (line + rest).endsWith(quote);
    return `+${rest}${isClosing ? quote : ""}`;
  });
}

/** zsh quotes for itself. Colons end a word in what `_describe` takes. */
async function forZsh(words: readonly string[], env: Io["env"]) {
  const found = await candidatesFor(words.slice(0, -1), words.at(-1) ?? "", env);
  const escaped = (word: string) => word.replace(/[\\:]/g, "\\$&");
  return joined(found, (word, about) => `${escaped(word)}:${about}`, escaped);
}

/** fish quotes for itself. */
async function forFish([line = ""]: readonly string[], env: Io["env"]) {
  const { words, current } = typedLine(line);
  const found = await candidatesFor(words.slice(1), current, env);
  return joined(
    found,
    (word, about) => `${word}\t${about}`,
    (word) => word,
  );
}

function joined(
  found: Candidates,
  withAbout: (word: string, about: string) => string,
  alone: (word: string) => string,
): readonly string[] | "files" {
  if (found === "files") return found;
  return found.map(({ word, about }) =>
    about === undefined ? alone(word) : withAbout(word, about),
  );
}
