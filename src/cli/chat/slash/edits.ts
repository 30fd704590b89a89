import { unusedSessionName } from "../../session-name.js";
import { count } from "../../words.js";
import type { Repl } from "../repl.js";
import { countIn } from "./count-argument.js";
import type { CommandCall } from "./slash-command.js";

/** Takes back the last runs of the session, with what they changed of the state. */
export async function undo(repl: Repl, { argument, speaker }: CommandCall): Promise<void> {
  const asked = countIn(argument, {
    usual: 1,
    of: "messages of yours",
    command: "/undo",
    hint: "/undo takes back the last one and its answer, /undo 3 the last three.",
  });
  const { userId, sessionId } = speaker;
  const { runs, messages } = await repl.viewOf(speaker).undo({ sessionId, runs: asked });
  if (runs === 0) return repl.screen.note(`Nothing to take back in session ${sessionId}.`);
  repl.unanswered.forget(speaker);
  const what = runs === 1 ? "the last run" : `the last ${count(runs, "run")}`;
  repl.screen.print(`Took back ${what} of ${userId}: ${count(messages, "message")}.\n`);
}

/** Goes on in a copy of the session. */
export async function fork(repl: Repl, { argument, speaker }: CommandCall): Promise<void> {
  const view = repl.viewOf(speaker);
  const to = argument || (await unusedSessionName((options) => view.counts(options)));
  const { messages } = await view.fork({ sessionId: speaker.sessionId, to });
  repl.switchSession(speaker, to);
  repl.screen.note(
    `Session ${to} of ${speaker.userId}: a copy of ${speaker.sessionId}, ${count(messages, "message")}.`,
  );
}
