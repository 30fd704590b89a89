import { latePattern } from "../../late-pattern.js";
import type { DemoCall, Intent } from "./demo-request.js";

/** Returns the call that a request asks for, or undefined if it asks for something else. */
type ToolMatcher = (request: string) => DemoCall | undefined;

/** Calls the tools a message asks for in plain words, several at once if needed. */
export const callTools: Intent = ({ question, tools }) => {
  if (tools.size === 0) return undefined;
  const calls = requestsIn(question)
    .flatMap((request) => TOOL_MATCHERS.map((callFor) => callFor(request)).find(Boolean) ?? [])
    .filter(({ name }) => tools.has(name));
  return calls.length > 0 ? calls : undefined;
};

/** "What time is it and what is 2+2?" makes two requests. */
const requestsIn = (question: string): string[] =>
  question
    .split(
      /[?!.;,\n]*\s+(?:and|then)\s+(?=(?:what|calculate|compute|how much|remember|forget|the (?:time|date))\b)|[?\n]+/i,
    )
    .map((request) => request.trim().replace(/^(?:please|can you|could you)\s+/i, ""))
    .filter(Boolean);

const timePlace = latePattern(
  String.raw`\bin (?<place>[\p{L}_/ +\-0-9]+?)(?: now| today)?\W*$`,
  "u",
);

const wantsTime: ToolMatcher = (request) => {
  if (
    !/\bwhat time\b|\b(?:what|tell)\b.*\bthe (?:time|date|day)\b|\bwhat (?:day|date)\b|^the (?:time|date)\b/i.test(
      request,
    )
  )
    return undefined;
  const place = timePlace().exec(request)?.groups?.place;
  return {
    name: "current_time",
    arguments: place === undefined ? {} : { timeZone: zoneOf(place) },
  };
};

/** The last part of a time zone's name is a city. */
function zoneOf(place: string): string {
  const last = place.trim().replace(/\s+/g, "_").toLowerCase();
  const zones = Intl.supportedValuesOf("timeZone");
  return zones.find((zone) => zone.toLowerCase().split("/").at(-1) === last) ?? place.trim();
}

const wantsSum: ToolMatcher = (request) => {
  const asked = /^(?:what['’]?s|what is|how much is)\s+(?<sum>.+)$/i.exec(request)?.groups?.sum;
  const told = /^(?:calculate|compute|evaluate|work out)\s+(?<sum>.+)$/i.exec(request)?.groups?.sum;
  const expression = inSymbols(told ?? asked ?? request);
  return told !== undefined || looksLikeSum(expression)
    ? { name: "calculate", arguments: { expression } }
    : undefined;
};

const inSymbols = (words: string): string =>
  words
    .replace(/\b(?:the )?square root of (?<number>[\d.]+)/gi, "sqrt($<number>)")
    .replace(/\bplus\b/gi, "+")
    .replace(/\bminus\b/gi, "-")
    .replace(/\b(?:times|multiplied by)\b/gi, "*")
    .replace(/\bdivided by\b/gi, "/")
    .replace(/\b(?:to the power of)\b/gi, "^")
    .replace(/\bsquared\b/gi, "^2")
    .replace(/[\s=?!.]+$/, "");

/** Numbers with operators; the only words are names that the calculator may know. */
const looksLikeSum = (text: string): boolean =>
  /\d/.test(text) &&
  /[-+*/%^×÷−(]/.test(text) &&
  /^(?:[\d\s.,+\-*/%^()×÷−π]|\b[a-z]+\d*(?=\()|\b(?:pi|tau|e)\b)+$/i.test(text);

const wantsNote: ToolMatcher = (request) => {
  const text = /^(?:remember|don['’]t forget|note)(?: that|:)? (?<text>.+)$/i.exec(request)?.groups
    ?.text;
  return text === undefined || /^(?:me|my name)$/i.test(text)
    ? undefined
    : { name: "remember", arguments: { text: text.replace(/[\s.!]+$/, "") } };
};

const wantsNotes: ToolMatcher = (request) => {
  const found =
    /\bwhat (?:do|can) you remember(?: about (?:the |my )?(?<text>.+))?$|^(?:list|show)(?: me)? (?:my|the|all) notes/i.exec(
      request,
    );
  const text = found?.groups?.text;
  return found ? { name: "recall", arguments: text === undefined ? {} : { text } } : undefined;
};

const wantsForget: ToolMatcher = (request) => {
  const text = /^forget (?:about )?(?:the (?:note )?|my |that )?(?<text>.+?)\W*$/iu.exec(request)
    ?.groups?.text;
  return text === undefined || /^(?:it|everything|all|me)$/i.test(text)
    ? undefined
    : { name: "forget", arguments: { text } };
};

const TOOL_MATCHERS: readonly ToolMatcher[] = [
  wantsNote,
  wantsForget,
  wantsNotes,
  wantsTime,
  wantsSum,
];
