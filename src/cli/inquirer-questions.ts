import type { UserInfo } from "../memory/memory.js";
import { singleLine } from "../sanitise.js";
import { asked, type Place } from "./terminal/question-input.js";
import { count } from "./words.js";

/** Yes or no; Esc and Ctrl-C mean no. */
export const askWhether = async (place: Place, question: string): Promise<boolean> =>
  (await yesOrNo(place, question)) ?? false;

/** Yes or no; undefined after Esc or Ctrl-C, or when the question was taken back. */
export async function yesOrNo(place: Place, question: string): Promise<boolean | undefined> {
  const { confirm } = await import("./prompts.js");
  const message = singleLine(question, 200);
  return asked(place, (terminal) => confirm({ message, default: false }, terminal));
}

/** One of these users, or a new one typed in; Esc and Ctrl-C mean none. */
export async function askWhich(
  place: Place,
  users: readonly UserInfo[],
  active: string,
): Promise<string | undefined> {
  const { search } = await import("./prompts.js");
  const source = (typed: string | undefined) => {
    const wanted = typed?.trim() ?? "";
    const known = users
      .filter(({ userId }) => userId.includes(wanted))
      .map((user) => choiceOf(user, active));
    const isNew = wanted !== "" && !users.some(({ userId }) => userId === wanted);
    return isNew ? [...known, { value: wanted, name: `${singleLine(wanted, 60)} (new)` }] : known;
  };
  const message = users.length === 0 ? "Talk as (type a name)" : "Talk as";
  return asked(place, (terminal) =>
    search({ message, source }, { ...terminal, clearPromptOnDone: true }),
  );
}

const choiceOf = ({ userId, messages, lastActivity }: UserInfo, active: string) => ({
  value: userId,
  name: `${singleLine(userId, 60)}${userId === active ? " (now)" : ""}: ${count(messages, "message")}, last ${localTime(lastActivity)}`,
});

/** To the minute, where the user is. */
function localTime(time: string): string {
  const minutesBehind = new Date(time).getTimezoneOffset();
  const local = new Date(Date.parse(time) - minutesBehind * 60_000);
  return local.toISOString().slice(0, 16).replace("T", " ");
}
