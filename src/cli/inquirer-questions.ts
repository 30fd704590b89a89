import type { UserInfo } from "../memory/memory.js";
import { singleLine } from "../sanitise.js";
import { localTime } from "./local-time.js";
import { noteLine } from "./note-line.js";
import { askQuestion, type PromptIo } from "./terminal/question-input.js";
import { count } from "./words.js";

/** Yes or no; Esc and Ctrl-C mean no. */
export const askWhether = async (io: PromptIo, question: string): Promise<boolean> =>
  (await yesOrNo(io, question)) ?? false;

/** Yes or no; undefined after Esc or Ctrl-C, or when the question is withdrawn. */
export async function yesOrNo(io: PromptIo, question: string): Promise<boolean | undefined> {
  const { confirm } = await import("./prompts.js");
  const message = noteLine(question);
  return askQuestion(io, (terminal) => confirm({ message, default: false }, terminal));
}

/** How many users are offered or listed, the latest first; more would not help to find one. */
export const MOST_USERS = 1_000;

/** One of these users or another name; undefined after Esc or Ctrl-C. */
export async function askWhich(
  io: PromptIo,
  users: readonly UserInfo[],
  active: string,
): Promise<string | undefined> {
  const { search } = await import("./prompts.js");
  const source = (typed: string | undefined) => {
    const wanted = typed?.trim() ?? "";
    const known = users
      .filter(({ userId }) => userId.includes(wanted))
      .map((user) => choiceOf(user, active));
    const isOther = wanted !== "" && !users.some(({ userId }) => userId === wanted);
    const name = singleLine(wanted, 60) + (users.length < MOST_USERS ? " (new)" : "");
    return isOther ? [...known, { value: wanted, name }] : known;
  };
  const message = users.length === 0 ? "Talk as (type a name)" : "Talk as";
  return askQuestion(io, (terminal) =>
    search({ message, source }, { ...terminal, clearPromptOnDone: true }),
  );
}

const choiceOf = ({ userId, messages, lastActivity }: UserInfo, active: string) => ({
  value: userId,
  name: `${singleLine(userId, 60)}${userId === active ? " (now)" : ""}: ${count(messages, "message")}, last ${localTime(lastActivity)}`,
});
