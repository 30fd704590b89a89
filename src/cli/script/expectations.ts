import { AgnoChatError, ERROR_TABLE } from "../../errors.js";
import { nearest } from "../../nearest.js";
import { safeJson } from "../../safe-json.js";
import { TookTooLong, within } from "../../within.js";

/** What an expectation is held against. */
export interface Outcome {
  /** The last reply, or what the last command answered. */
  readonly output: string;
  /** Messages kept of the active user's session. */
  readonly size: () => Promise<number>;
  /** What the last input failed with. */
  readonly failure: AgnoChatError | undefined;
}

/** Answers undefined when it is met, else what was expected and what came. */
type Check = (
  argument: string,
  outcome: Outcome,
) => string | undefined | Promise<string | undefined>;

const LONGEST_SHOWN = 300;

/** One line in which every line end and control character of `text` shows. */
const shown = (text: string): string =>
  safeJson(text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN - 1)}…`);

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
    met(isMatch(pattern, outcome.output), `the output to match ${shown(pattern)}`, outcome),
  size: async (text, outcome) => {
    const size = await outcome.size();
    return size === Number(text) ? undefined : `expected ${text} messages, but there are ${size}`;
  },
  fails: (code, { failure }) => {
    if (failure?.code === code) return undefined;
    const came =
      failure === undefined ? "did not fail" : `failed with ${failure.code} (${failure.message})`;
    return `expected it to fail with ${code}, but it ${came}`;
  },
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
  const holds = Object.hasOwn(CHECKS, word) ? CHECKS[word] : undefined;
  if (holds === undefined) throw unknownWord(word);
  if (argument === "") throw new AgnoChatError("USAGE", `?${word} needs something to expect.`);
  if (word === "size" && !/^\d+$/.test(argument))
    throw new AgnoChatError("USAGE", `?size takes a number of messages, not ${shown(argument)}.`);
  if (word === "fails" && !Object.hasOwn(ERROR_TABLE, argument)) throw unknownCode(argument);
  return holds(argument, outcome);
}

/** Milliseconds: a script and its Ctrl-C wait for no pattern longer than that. */
const MATCH_LIMIT_MS = 1000;

function isMatch(pattern: string, text: string): boolean {
  const expression = expressionOf(pattern);
  try {
    return within(MATCH_LIMIT_MS, () => expression.test(text));
  } catch (cause) {
    if (!(cause instanceof TookTooLong)) throw cause;
    throw new AgnoChatError("USAGE", `?matches ${shown(pattern)}: ${cause.message}.`, {
      hint: "Repeat nothing that repeats itself, as (a+)+ does.",
      cause,
    });
  }
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
  const hint =
    near === undefined
      ? `Known: ${known.map((name) => `?${name}`).join(", ")}. A message that begins with ? goes into a """ block.`
      : `Did you mean ?${near}?`;
  return new AgnoChatError("USAGE", `There is no expectation ?${word}.`, { hint });
}

function unknownCode(code: string): AgnoChatError {
  const near = nearest(code, Object.keys(ERROR_TABLE));
  const hint = near === undefined ? "For example: USAGE, MODEL_AUTH." : `Did you mean ${near}?`;
  return new AgnoChatError("USAGE", `There is no error code ${shown(code)}.`, { hint });
}
