import { AgnoChatError } from "../../../errors.js";
import { singleLine } from "../../../sanitise.js";
import { MOST_USERS } from "../../inquirer-questions.js";
import { count } from "../../words.js";
import { parseAside } from "../chat-input.js";
import { introductionOf, introductionText } from "../introduction.js";
import type { Repl } from "../repl.js";
import type { CommandCall } from "./slash-command.js";

export async function user(repl: Repl, call: CommandCall): Promise<void> {
  const userId = call.argument === "" ? await picked(repl) : call.argument;
  if (userId === undefined) return users(repl);
  repl.switchUser(userId);
  // Switches before the first await, so the next line already belongs to this user.
  const speaker = repl.active;
  const introduction = await introductionOf(repl.memory, speaker);
  repl.screen.note(`Now talking as ${introductionText(introduction)}.`);
}

async function picked(repl: Repl): Promise<string | undefined> {
  const users = await repl.memory.users({ limit: MOST_USERS });
  const name = await repl.screen.pickUser(users, repl.active.userId);
  const isKnown = users.some(({ userId }) => userId === name);
  if (name?.startsWith("/") && !isKnown) throw notAName(name);
  return name;
}

/** Who does not see that a question is asked types the next command. */
function notAName(typed: string): AgnoChatError {
  const got = JSON.stringify(singleLine(typed, 60));
  return new AgnoChatError("USAGE", `A user was asked for, but got ${got}.`, {
    hint: "Type the name alone, or /user NAME at once.",
  });
}

export async function users(repl: Repl): Promise<void> {
  const found = await repl.memory.users({ limit: MOST_USERS });
  const active = repl.active.userId;
  const rows = found.map(
    ({ userId, messages, sessions }) =>
      `${userId === active ? "*" : " "} ${userId}: ${count(messages, "message")} in ${count(sessions, "session")}`,
  );
  if (!found.some(({ userId }) => userId === active)) {
    const messages = await repl.memory.size(active);
    rows.push(`* ${active}: ${messages === 0 ? "nothing yet" : count(messages, "message")}`);
  }
  repl.screen.print(`${rows.join("\n")}\n`);
  if (found.length === MOST_USERS)
    repl.screen.note(`Only the latest ${MOST_USERS}; agno-chat users lists everyone.`);
}

export function whoami(repl: Repl, { speaker: { userId, sessionId } }: CommandCall): void {
  repl.screen.print(`${userId}, session ${sessionId}, answered by ${repl.parts.model.name}\n`);
}

/** Sends one message as another user, in their last session. The active user stays the same. */
export async function sayAs(repl: Repl, { argument, signal }: CommandCall): Promise<void> {
  const aside = parseAside(argument);
  if (aside === undefined)
    throw new AgnoChatError("USAGE", "/as needs a user and a message.", {
      hint: `/as bob What's my name? An id with spaces in quotes: /as "mary ann" Hello`,
    });
  await repl.say(aside.message, { speaker: repl.speakerOf(aside.userId), signal });
}
