import { latePattern } from "../../late-pattern.js";
import type { Intent } from "./demo-request.js";
import { nameIn } from "./name.js";
import { capitalised, mentions, statementsIn, toYou } from "./sentences.js";

/** Something users said about themselves: its topic, and the sentence that repeats it. */
interface Fact {
  readonly topic: string;
  readonly sentence: string;
}

const WHERE = "live|work|study|come|was born|am from|stay";
const DO = "like|love|prefer|hate|want|need|have|own|play|speak|drink|eat|drive|study|work";

/** What `mineStated` and `mineAsked` need. Their Unicode classes take up to 3 ms to compile. */
const mayBeMine = (text: string): boolean => mentions(text, "my ", "the ");

const mineStated = latePattern(
  String.raw`^(?<whose>my|the) (?<thing>[\p{L}\p{N} '’_-]{1,60}?) (?<is>is|are|was|were) (?<value>.+)$`,
  "iu",
);
const WHERE_STATED = new RegExp(
  `^I (?:now |also )?(?<verb>${WHERE}) (?<value>(?:in|at|from|near|on|for)\\b.+)$`,
  "i",
);
const DO_STATED = new RegExp(`^I (?:really |also )?(?<verb>${DO}) (?<value>.+)$`, "i");

const mineAsked = latePattern(
  String.raw`\b(?:what|who|when|where|which|how old)(?:['’]?s| is| are| was| were) (?<whose>my|the) (?<thing>[\p{L}\p{N} '’_-]{1,60})`,
  "iu",
);
const WHERE_ASKED = new RegExp(`\\bwhere (?:do|did|am|was) I (?<verb>${WHERE}|from|born)\\b`, "i");
const DO_ASKED = new RegExp(`\\bwh(?:at|om|o|ich \\w+) do I (?<verb>${DO})\\b`, "i");

/** Answers a question about something the user stated earlier. */
export const recallFact: Intent = ({ question, said }) => {
  const topic = topicAsked(question);
  if (topic === undefined) return undefined;
  const found = factsIn(statementsIn(said)).filter((fact) => fact.topic === topic);
  if (found.length === 0) return "I don't know: you have not told me in this conversation.";
  return isList(topic) ? joined(found) : found.at(-1)?.sentence;
};

/** Greets users who give their name, and acknowledges what else they state. */
export const noteStatements: Intent = ({ question }) => {
  const statements = statementsIn([question]);
  const name = nameIn(statements);
  if (name !== undefined)
    return `Nice to meet you, ${name}! I will know your name as long as this conversation lasts.`;
  const facts = factsIn(statements);
  return facts.length > 0
    ? `Got it. ${joined(facts)} Ask me about it whenever you like.`
    : undefined;
};

/** Lists everything the user has stated. */
export const recallEverything: Intent = ({ question, said }) => {
  if (!mentions(question, "you") || !/\bwhat (?:do|can) you (?:know|remember)\b/i.test(question))
    return undefined;
  const known = everythingIn(said);
  return known.length > 0
    ? ["This is what you have told me:", "", ...known.map((sentence) => `- ${sentence}`)].join("\n")
    : "Nothing yet: you have not told me anything about yourself in this conversation.";
};

/** What the user has stated, as sentences; for most topics only the latest statement. */
export function everythingIn(said: readonly string[]): string[] {
  const statements = statementsIn(said);
  const name = nameIn(statements);
  const facts = factsIn(statements).map(
    ({ topic, sentence }) => [isList(topic) ? sentence : topic, sentence] as const,
  );
  return [...(name === undefined ? [] : [`Your name is ${name}.`]), ...new Map(facts).values()];
}

/** Users may do or like several things; of anything else only the latest statement counts. */
const isList = (topic: string): boolean => topic.startsWith("do ");

const factsIn = (statements: readonly string[]): Fact[] =>
  statements.flatMap((statement) => factOf(statement) ?? []);

function factOf(statement: string): Fact | undefined {
  const mine = mayBeMine(statement) && mineStated().exec(statement)?.groups;
  if (mine) return mineOf(mine.whose ?? "", mine.thing ?? "", `${mine.is} ${mine.value}`);
  const where = WHERE_STATED.exec(statement)?.groups;
  if (where) return { topic: `where ${base(where.verb ?? "")}`, sentence: youSentence(statement) };
  const does = DO_STATED.exec(statement)?.groups;
  if (does) return { topic: `do ${does.verb?.toLowerCase()}`, sentence: youSentence(statement) };
  return undefined;
}

function mineOf(whose: string, thing: string, rest: string): Fact | undefined {
  if (/^name$/i.test(thing) || /^(?:is|are|was|were) (?:what|who|where|when|not)\b/i.test(rest))
    return undefined;
  return {
    topic: thingTopic(whose, thing),
    sentence: `${capitalised(toYou(`${whose.toLowerCase()} ${thing} ${rest}`))}.`,
  };
}

function topicAsked(question: string): string | undefined {
  const mine = mayBeMine(question) && mineAsked().exec(question)?.groups;
  if (mine) return thingTopic(mine.whose ?? "", mine.thing ?? "");
  const where = mentions(question, "where") && WHERE_ASKED.exec(question)?.groups;
  if (where) return `where ${base(where.verb ?? "")}`;
  const does = mentions(question, " do i ") && DO_ASKED.exec(question)?.groups;
  return does ? `do ${does.verb?.toLowerCase()}` : undefined;
}

const thingTopic = (whose: string, thing: string): string =>
  `${whose} ${thing}`
    .toLowerCase()
    .replace(/ou(?=r)/g, "o")
    .replace(/\s+/g, " ")
    .trim();

/** Makes "was born" and "born", "am from" and "from" the same topic. */
const base = (verb: string): string =>
  verb
    .toLowerCase()
    .replace(/^(?:was|am) /, "")
    .replace(/^come$/, "from");

const youSentence = (statement: string): string =>
  `${capitalised(toYou(statement.replace(/^I am\b/i, "You are").replace(/^I was\b/i, "You were")))}.`;

const joined = (facts: readonly Fact[]): string =>
  [...new Set(facts.map(({ sentence }) => sentence))].join(" ");
