import { latePattern } from "../../late-pattern.js";
import type { Intent } from "./demo-request.js";
import { mentions, statementsIn } from "./sentences.js";

const STATED = [
  /^my (?:full |first |real |new )?name(?: is|['’]s)(?: now)? (?<name>.+)$/i,
  /^(?:you can |just )?call me (?<call>.+)$/i,
  /^(?:I am|I['’]m) (?:called|named) (?<name>.+)$/i,
  /^(?:I am|I['’]m) (?<alone>.+)$/i,
  /^(?:私|僕|俺)の名前は(?<name>.+?)(?:です|だ|といいます|と言います)?$/,
];

const ASKED =
  /\bwhat(?:['’]?s| is| was)? my (?:full |first |real )?name\b|\bwho am I\b|\b(?:know|remember|recall|say|tell me) (?:what )?my name\b|\bis my name\b|\bmy name is what\b|名前は(?:何|なん|なに)/i;

/** Words in the place of a name that are not a name. */
const notName = latePattern(
  String.raw`^(?:what|who|not|an?|the|unknown|none|secret|different|back|later|when|if)(?![\p{L}\p{N}])|^(?:何|なん|なに)`,
  "iu",
);

/** A capital and a small letter, or a letter of a script without case. */
const nameLike = latePattern(String.raw`^(?:\p{Lu}[\p{Ll}\p{M}'’]|\p{Lo})`, "u");

/** Capitalised words that are not a name after "I'm". */
const STATE = /^(?:Ok|Okay|Sorry|Fine|Here|Back|Done|Good|Well|Happy|Tired|Ready|Sure)$/;

/** Answers a question for the user's name. */
export const recallName: Intent = ({ question, said }) => {
  if (!mentions(question, "name", "who am i", "名前") || !ASKED.test(question)) return undefined;
  const name = nameIn(statementsIn(said));
  return name === undefined
    ? "I don't know your name: you have not told me in this conversation."
    : `Your name is ${name}.`;
};

/** The name given last. */
export const nameIn = (statements: readonly string[]): string | undefined =>
  statements.map(statedName).findLast((name) => name !== undefined);

function statedName(statement: string): string | undefined {
  for (const pattern of STATED) {
    const groups = pattern.exec(statement)?.groups;
    if (!groups) continue;
    if (groups.alone !== undefined) return aloneName(groups.alone);
    const name = trimmed(groups.name ?? groups.call ?? "");
    if (name === "" || name.length > 100 || notName().test(name)) return undefined;
    return groups.call === undefined || nameLike().test(name) ? name : undefined;
  }
  return undefined;
}

/** After "I'm" alone, only one or two capitalised words are a name. */
function aloneName(words: string): string | undefined {
  const parts = words.split(/\s+/);
  const isName =
    parts.length <= 2 && parts.every((part) => nameLike().test(part) && !STATE.test(part));
  return isName ? trimmed(words) : undefined;
}

/** Removes what follows the name, and quotation marks. */
const trimmed = (name: string): string =>
  name
    .replace(/(?:,|\s(?:and|but|by the way|now|please|actually)\b).*$/i, "")
    .replace(/^["“«「*_]+|["”»」*_,:]+$/g, "")
    .trim();
