import { AgnoChatError } from "../../errors.js";
import { nearest } from "../../nearest.js";
import { singleLine } from "../../sanitise.js";

/** What an expectation is held against. */
export interface Outcome {
  /** The last reply, or what the last command answered. */
  readonly output: string;
  /** Messages kept of the active user's session. */
  readonly size: () => Promise<number>;
  /** The code the last input failed with. */
  readonly failure: string | undefined;
}

/** Answers undefined when it is met, else what was expected and what came. */
type Check = (
  argument: string,
  outcome: Outcome,
) => string | undefined | Promise<string | undefined>;

const LONGEST_SHOWN = 300;

const shown = (text: string): string => JSON.stringify(singleLine(text, LONGEST_SHOWN));

const met = (isMet: boolean, expected: string, { output }: Outcome): string | undefined =>
  isMet ? undefined : `expected ${expected}, but it was ${shown(output)}`;

const CHECKS: Readonly<Record<string, Check>> = {
  contains: (text, outcome) =>
    met(outcome.output.includes(text), `the output to contain ${shown(text)}`, outcome),
  "not-contains": (text, outcome) =>
    met(!outcome.output.includes(text), `the output not to contain ${shown(text)}`, outcome),
  equals: (text, outcome) =>
    met(outcome.output.trim() === text, `the output to be ${shown(text)}`, outcome),
  matches: (pattern, outcome) =>
    met(
      expressionOf(pattern).test(outcome.output),
      `the output to match ${shown(pattern)}`,
      outcome,
    ),
  size: async (text, outcome) => {
    const size = await outcome.size();
    return size === Number(text) ? undefined : `expected ${text} messages, but there are ${size}`;
  },
  fails: (code, { failure }) =>
    failure === code
      ? undefined
      : `expected ${code}, but it ${failure === undefined ? "did not fail" : `failed with ${failure}`}`,
};

/**
 * Holds one expectation against what came.
 * @returns what was expected and what came instead; undefined when it is met
 * @throws {AgnoChatError} `USAGE` for a word that is no expectation, or an argument it cannot take
 */
export async function check(
  word: string,
  argument: string,
  outcome: Outcome,
): Promise<string | undefined> {
  const found = Object.hasOwn(CHECKS, word) ? CHECKS[word] : undefined;
  if (found === undefined) throw unknownWord(word);
  if (argument === "") throw new AgnoChatError("USAGE", `?${word} needs something to expect.`);
  if (word === "size" && !/^\d+$/.test(argument))
    throw new AgnoChatError("USAGE", `?size takes a number of messages, not ${shown(argument)}.`);
  return found(argument, outcome);
}

/** `/pattern/flags`, or the pattern alone. */
function expressionOf(text: string): RegExp {
  const [, pattern = text, flags = ""] = /^\/(.*)\/([a-z]*)$/.exec(text) ?? [];
  try {
    return new RegExp(pattern, flags);
  } catch (cause) {
    throw new AgnoChatError("USAGE", `?matches cannot read the pattern ${shown(text)}.`, { cause });
  }
}

function unknownWord(word: string): AgnoChatError {
  const known = Object.keys(CHECKS);
  const near = nearest(word, known);
  return new AgnoChatError("USAGE", `There is no expectation ?${word}.`, {
    hint:
      near === undefined
        ? `Known: ${known.map((name) => `?${name}`).join(", ")}.`
        : `Did you mean ?${near}?`,
  });
}
