import { attachedFiles } from "../../../attachments.js";
import { AgnoChatError } from "../../../errors.js";
import { describedFile, fileToAttach } from "../../attached-file.js";
import { count } from "../../words.js";
import type { Repl } from "../repl.js";
import { typedPath } from "../typed-path.js";
import type { CommandCall } from "./slash-command.js";

/** Keeps a file for the speaker's next message; lists those that wait, or drops them. */
export async function attach(repl: Repl, { argument, speaker }: CommandCall): Promise<void> {
  const { userId } = speaker;
  if (argument === "") return list(repl, { userId });
  if (argument === "clear") {
    const dropped = repl.files.take(userId).length;
    return repl.screen.note(`${count(dropped, "file")} dropped.`);
  }
  if (repl.memory.attachments === undefined)
    throw new AgnoChatError("USAGE", "This memory cannot keep files.");
  const file = await fileToAttach(await typedPath(argument));
  // It must be one that can be sent, and all of them together must fit a message.
  const { attachments } = attachedFiles([...repl.files.of(userId), file]);
  repl.files.add(userId, file);
  const latest = attachments.slice(-1).map(describedFile).join("");
  repl.screen.note(`${latest} goes with your next message.`);
}

function list(repl: Repl, { userId }: Pick<CommandCall["speaker"], "userId">): void {
  const { attachments } = attachedFiles(repl.files.of(userId));
  if (attachments.length === 0)
    return repl.screen.note("No file waits for your next message: /attach photo.png");
  repl.screen.print(attachments.map((file) => `${describedFile(file)}\n`).join(""));
}
