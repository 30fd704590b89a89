import { AgnoChatError } from "../../../errors.js";
import { unusedSessionName } from "../../session-name.js";
import { count } from "../../words.js";
import { sessionText } from "../introduction.js";
import type { Repl } from "../repl.js";
import { countIn } from "./count-argument.js";
import type { CommandCall } from "./slash-command.js";

const SHOWN_SESSIONS = 100;

export async function sessions(repl: Repl, { argument, speaker }: CommandCall): Promise<void> {
  const limit = countIn(argument, {
    usual: SHOWN_SESSIONS,
    of: "sessions",
    command: "/sessions",
  });
  const view = repl.viewOf(speaker);
  const found = await view.sessions({ limit });
  const rows = found.map(
    ({ sessionId, messages }) =>
      `${sessionId === speaker.sessionId ? "*" : " "} ${sessionId}: ${count(messages, "message")}`,
  );
  if (!found.some(({ sessionId }) => sessionId === speaker.sessionId)) {
    const { sessions: kept, messages } = await view.counts({ sessionId: speaker.sessionId });
    const size = kept === 0 ? "nothing yet" : count(messages, "message");
    rows.push(`* ${speaker.sessionId}: ${size}`);
  }
  repl.screen.print(`${rows.join("\n")}\n`);
  if (found.length < limit) return;
  const { sessions: all } = await view.counts();
  if (all > found.length)
    repl.screen.note(
      `The latest ${found.length} of ${all}; /sessions ${Math.min(all, 10 * limit)} lists more.`,
    );
}

export async function session(repl: Repl, { argument, speaker }: CommandCall): Promise<void> {
  if (argument === "")
    throw new AgnoChatError("USAGE", "/session needs a name.", {
      hint: "/sessions lists them; /new begins one.",
    });
  repl.switchSession(speaker, argument);
  const named = await repl.viewOf(speaker).counts({ sessionId: argument });
  repl.screen.note(`Session ${argument} of ${speaker.userId}${sessionText(named)}.`);
}

export async function newSession(repl: Repl, { argument, speaker }: CommandCall): Promise<void> {
  const view = repl.viewOf(speaker);
  if (argument !== "" && (await view.counts({ sessionId: argument })).sessions > 0)
    throw new AgnoChatError("USAGE", `The session ${argument} exists already.`, {
      hint: `/session ${argument}`,
    });
  const sessionId =
    argument || (await unusedSessionName((options) => view.counts(options), speaker.sessionId));
  repl.switchSession(speaker, sessionId);
  repl.screen.note(`New session ${sessionId} of ${speaker.userId}.`);
}
