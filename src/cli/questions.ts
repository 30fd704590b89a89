import type { UserInfo } from "../memory/memory.js";
import { singleLine } from "../sanitise.js";
import type { Io } from "./io.js";
import { count } from "./words.js";

/** Yes or no; Ctrl-C means no. */
export const askWhether = async (place: Place, question: string): Promise<boolean> =>
  (await yesOrNo(place, question)) ?? false;

export interface Place extends Pick<Io, "stdin" | "stderr"> {
  /** Takes the question back. */
  readonly signal?: AbortSignal;
}

/** Yes or no; undefined after Ctrl-C, or when the question was taken back. */
export async function yesOrNo(
  { stdin: input, stderr: output, signal }: Place,
  question: string,
): Promise<boolean | undefined> {
  const { confirm } = await import("./prompts.js");
  const place = { input, output, ...(signal === undefined ? {} : { signal }) };
  return answered(confirm({ message: singleLine(question, 200), default: false }, place));
}

/** One of these users, or a new one typed in; Ctrl-C means none. */
export async function askWhich(
  { stdin: input, stderr: output, signal }: Place,
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
  const place = { input, output, clearPromptOnDone: true, ...(signal && { signal }) };
  return answered(search({ message: "Talk as", source }, place));
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

async function answered<T>(question: Promise<T>): Promise<T | undefined> {
  try {
    return await question;
  } catch (thrown) {
    if (thrown instanceof Error && /^(Exit|Abort)PromptError$/.test(thrown.name)) return undefined;
    throw thrown;
  }
}
