import { AgnoChatError, ERROR_TABLE } from "../../errors.js";
import { nearest } from "../../nearest.js";
import { safeJson } from "../../safe-json.js";
import { TookTooLong, within } from "../../within.js";

/** What an expectation is checked against. */
export interface StepResult {
  /** The last reply, or the output of the last command. */
  readonly output: string;
  /** Counts the stored messages of the active user's session. */
  readonly size: () => Promise<number>;
  /** The failure of the last input, if any. */
  readonly failure: AgnoChatError | undefined;
}

/** Returns undefined when the expectation is met, otherwise what was expected and what came. */
type Check = (
  argument: string,
  outcome: StepResult,
) => string | undefined | Promise<string | undefined>;

const LONGEST_SHOWN = 300;

/** `text` on one line, with line ends and control characters made visible. */
const shown = (text: string): string =>
  safeJson(text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN - 1)}…`);

const met = (isMet: boolean, expected: string, { output }: StepResult): string | undefined =>
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
 * Checks one expectation.
 * @returns undefined when it is met, otherwise what was expected and what came
 * @throws {AgnoChatError} `USAGE` for an unknown expectation or an invalid argument
 */
export async function check(
  word: string,
  argument: string,
  outcome: StepResult,
): Promise<string | undefined> {
  const holds = Object.hasOwn(CHECKS, word) ? CHECKS[word] : undefined;
  if (holds === undefined) throw unknownWord(word);
  if (argument === "") throw new AgnoChatError("USAGE", `?${word} needs an argument.`);
  if (word === "size" && !/^\d+$/.test(argument))
    throw new AgnoChatError("USAGE", `?size takes a number of messages, not ${shown(argument)}.`);
  if (word === "fails" && !Object.hasOwn(ERROR_TABLE, argument)) throw unknownCode(argument);
  return holds(argument, outcome);
}

/** Milliseconds a pattern may take, so that it cannot block the script and Ctrl-C. */
const MATCH_LIMIT_MS = 1000;

function isMatch(pattern: string, text: string): boolean {
  const expression = expressionOf(pattern);
  try {
    return within(MATCH_LIMIT_MS, () => expression.test(text));
  } catch (cause) {
    if (!(cause instanceof TookTooLong)) throw cause;
    throw new AgnoChatError("USAGE", `?matches ${shown(pattern)}: ${cause.message}.`, {
      hint: "Avoid nested repetition such as (a+)+.",
      cause,
    });
  }
}

/** Parses `/pattern/flags` or a bare pattern. */
function expressionOf(text: string): RegExp {
  const [, pattern = text, flags = ""] = /^\/(.*)\/([a-z]*)$/.exec(text) ?? [];
  try {
    return new RegExp(pattern, flags);
  } catch (cause) {
    throw new AgnoChatError("USAGE", `?matches got an invalid pattern: ${shown(text)}.`, { cause });
  }
}

function unknownWord(word: string): AgnoChatError {
  const known = Object.keys(CHECKS);
  const near = nearest(word, known);
  const hint =
    near === undefined
      ? `Known: ${known.map((name) => `?${name}`).join(", ")}. Put a message that begins with ? into a """ block.`
      : `Did you mean ?${near}?`;
  return new AgnoChatError("USAGE", `There is no expectation ?${word}.`, { hint });
}

function unknownCode(code: string): AgnoChatError {
  const near = nearest(code, Object.keys(ERROR_TABLE));
  const hint = near === undefined ? "For example: USAGE, MODEL_AUTH." : `Did you mean ${near}?`;
  return new AgnoChatError("USAGE", `There is no error code ${shown(code)}.`, { hint });
}
