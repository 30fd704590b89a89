import { AgnoChatError } from "../../../errors.js";
import { unusedSessionName } from "../../session-name.js";
import { count } from "../../words.js";
import { sessionText } from "../introduction.js";
import type { Repl } from "../repl.js";
import type { CommandCall } from "./slash-command.js";

export async function sessions(repl: Repl, { speaker }: CommandCall): Promise<void> {
  const found = await repl.viewOf(speaker).sessions();
  const rows = found.map(
    ({ sessionId, messages }) =>
      `${sessionId === speaker.sessionId ? "*" : " "} ${sessionId}: ${count(messages, "message")}`,
  );
  if (!found.some(({ sessionId }) => sessionId === speaker.sessionId))
    rows.push(`* ${speaker.sessionId}: nothing yet`);
  repl.screen.print(`${rows.join("\n")}\n`);
}

export async function session(repl: Repl, { argument, speaker }: CommandCall): Promise<void> {
  if (argument === "")
    throw new AgnoChatError("USAGE", "/session needs a name.", {
      hint: "/sessions lists them; /new begins one.",
    });
  repl.switchSession(speaker, argument);
  const found = await repl.viewOf(speaker).sessions();
  const named = found.find(({ sessionId }) => sessionId === argument);
  repl.screen.note(`Session ${argument} of ${speaker.userId}${sessionText(named)}.`);
}

export async function newSession(repl: Repl, { argument, speaker }: CommandCall): Promise<void> {
  const taken = (await repl.viewOf(speaker).sessions()).map(({ sessionId }) => sessionId);
  if (taken.includes(argument))
    throw new AgnoChatError("USAGE", `The session ${argument} exists already.`, {
      hint: `/session ${argument}`,
    });
  const sessionId = argument === "" ? unusedSessionName([...taken, speaker.sessionId]) : argument;
  repl.switchSession(speaker, sessionId);
  repl.screen.note(`New session ${sessionId} of ${speaker.userId}.`);
}
