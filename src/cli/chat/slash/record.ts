import { AgnoChatError } from "../../../errors.js";
import { systemReason } from "../../../system-errors.js";
import { count } from "../../words.js";
import { Recording } from "../recording.js";
import type { Repl } from "../repl.js";
import type { Speaker } from "../screen.js";
import type { CommandCall } from "./slash-command.js";

/** `/record FILE` begins to write the chat as a script, `/record stop` ends it. */
export async function record(repl: Repl, { argument, speaker }: CommandCall): Promise<void> {
  if (argument === "stop") stop(repl);
  else if (argument === "") repl.screen.note(stateOf(repl));
  else {
    begin(repl, argument);
    await remarkOnHistory(repl, speaker);
  }
}

/** A script runs on an empty memory, so nothing that was said before can be expected in it. */
async function remarkOnHistory(repl: Repl, { userId, sessionId }: Speaker): Promise<void> {
  const messages = await repl.memory.size(userId, { sessionId });
  if (messages === 0) return;
  repl.screen.note(
    `The script will not have the ${count(messages, "message")} before it: /new begins without.`,
  );
}

function begin(repl: Repl, path: string): void {
  if (repl.recording !== undefined)
    throw new AgnoChatError("USAGE", `The chat is already recorded in ${repl.recording.path}.`, {
      hint: "/record stop ends that.",
    });
  try {
    repl.recording = new Recording(path, repl);
  } catch (cause) {
    throw refused(path, cause);
  }
  repl.screen.note(`Recording what is said from now on in ${path}. /record stop ends it.`);
}

function refused(path: string, cause: unknown): AgnoChatError {
  const file = JSON.stringify(path);
  if ((cause as NodeJS.ErrnoException).code === "EEXIST")
    return new AgnoChatError("FILE_EXISTS", `The file ${file} already exists.`, {
      hint: "Choose another name.",
    });
  return new AgnoChatError("FILE_UNWRITABLE", `Cannot write ${file}: ${systemReason(cause)}.`, {
    cause,
  });
}

function stop(repl: Repl): void {
  const { recording } = repl;
  if (recording === undefined) return repl.screen.note("Nothing is being recorded.");
  recording.end();
  repl.recording = undefined;
  const { path, inputs } = recording;
  repl.screen.note(`Recorded ${count(inputs, "input")} in ${path}: agno-chat run ${path}`);
}

const stateOf = ({ recording }: Repl): string =>
  recording === undefined
    ? "Nothing is being recorded. /record FILE begins."
    : `Recording in ${recording.path}: ${count(recording.inputs, "input")} so far.`;
