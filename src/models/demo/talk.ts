import type { Conversation, Intent } from "./demo-request.js";
import { mentions } from "./sentences.js";

const REAL_ANSWERS =
  "For real answers, choose a model of OpenAI, or of any server that speaks its API.";

/** Quotes what the user said before. */
export const quoteUser: Intent = ({ question, said }) => {
  if (
    !mentions(question, "did i", "message") ||
    !/\bwhat did I (?:just )?(?:say|ask|write|tell you)\b|\bmy (?:last|previous) message\b/i.test(
      question,
    )
  )
    return undefined;
  const previous = said.at(-2);
  return previous === undefined
    ? "You have not said anything before this."
    : `You said: “${previous}”`;
};

/** Counts the user's messages in the request. */
export const countMessages: Intent = ({ question, said }) =>
  mentions(question, "how many") && /\bhow many (?:messages|things|questions)\b/i.test(question)
    ? `I can see ${said.length} ${said.length === 1 ? "message" : "messages"} from you, this one included.`
    : undefined;

/** Quotes the system message. */
export const quoteInstructions: Intent = ({ question, instructions }) => {
  if (
    !mentions(question, "instructions", "system") ||
    !/\b(?:your|the) (?:instructions|system (?:message|prompt))\b/i.test(question)
  )
    return undefined;
  return instructions === undefined
    ? "I have no instructions."
    : `My instructions are: “${instructions}”`;
};

export const help: Intent = ({ question, tools }) => {
  if (
    !mentions(question, "help", "you") ||
    !/^\W*help\b|\bwhat can you do\b|\bwho are you\b|\bwhat are you\b|\byour name\b|\bhow do you work\b/i.test(
      question,
    )
  )
    return undefined;
  return [
    "I am the built-in **demo model**: I work offline and know only what you tell me in this conversation. Try:",
    "",
    "- `My name is Alice`, then `What's my name?`",
    "- `My favourite colour is blue`, `I live in Paris`, `I like tea`, then ask me about it",
    "- `What did I just say?`, `How many messages have I sent?`, `What do you remember?`",
    "- `What are your instructions?`, `Show me markdown`",
    ...(tools.has("calculate") ? ["- `What is 2+2*3?`"] : []),
    ...(tools.has("current_time") ? ["- `What time is it in Tokyo?`"] : []),
    ...(tools.has("remember")
      ? ["- `Remember that the meeting is at 5`, `Forget the meeting`"]
      : []),
    "",
    REAL_ANSWERS,
  ].join("\n");
};

/** A greeting, and what comes after it. */
const GREETING = /^\W*(?:hi|hello|hey|good (?:morning|afternoon|evening)|こんにちは)(?<rest>.*)/is;

export const greet: Intent = ({ question }) => {
  const rest = GREETING.exec(question)?.groups?.rest;
  // A class of Unicode takes up to 1 ms to make, and together with `i` 3 ms.
  if (rest === undefined || (rest !== "" && /^\p{L}/u.test(rest))) return undefined;
  return `Hello! I am the built-in demo model and work offline. Tell me your name, or ask for \`help\`. ${REAL_ANSWERS}`;
};

export const acceptThanks: Intent = ({ question }) =>
  /\b(?:thanks|thank you|thx|cheers)\b|ありがとう/i.test(question) ? "You're welcome!" : undefined;

export const sayGoodbye: Intent = ({ question }) =>
  /^\W*(?:bye|goodbye|good night|see you)\b/i.test(question) ? "Goodbye!" : undefined;

const LONGEST_ECHO = 60;

/** The last resort: repeats the message and admits that it has no answer. */
export const admit = ({ question }: Conversation): string => {
  const words = question.replace(/\s+/g, " ").trim();
  const letters = [...words];
  const echo =
    letters.length > LONGEST_ECHO ? `${letters.slice(0, LONGEST_ECHO).join("")}…` : words;
  return `You said “${echo}”. I am only a demo model that works offline, so I have no real answer to that. Ask for \`help\` to see what I can do.`;
};
