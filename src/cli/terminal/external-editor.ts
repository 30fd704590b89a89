import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onAbort } from "../../abort.js";
import { AgnoChatError } from "../../errors.js";
import { listenExclusively } from "../ending-signals.js";
import { whenProcessEnds } from "./modes.js";

/**
 * Opens the user's editor on `text` in this process's terminal and returns the saved text, without
 * the line end that editors add. Only the owner can read the temporary file, which is deleted
 * afterwards. `signal` ends the editor.
 * @throws {AgnoChatError} `INVALID_INPUT` when the editor cannot be run or fails
 */
export async function editExternally(
  text: string,
  { env, signal }: { env: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), "agno-chat-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const unregister = whenProcessEnds(remove);
  // Ctrl-C and Ctrl-\ reach the whole process group, but are meant for the editor.
  const stopIgnoring = listenExclusively(process, ["SIGINT", "SIGQUIT"], () => {});
  try {
    const file = path.join(folder, "message.md");
    writeFileSync(file, text, { mode: 0o600 });
    await run(env.VISUAL || env.EDITOR || defaultEditor(), { file, signal });
    return readFileSync(file, "utf8").replace(/\r?\n$/, "");
  } finally {
    stopIgnoring();
    unregister();
    remove();
  }
}

async function run(
  editor: string,
  { file, signal }: { file: string; signal: AbortSignal },
): Promise<void> {
  const child = start(editor, file);
  const forget = onAbort(signal, () => child.kill("SIGHUP"));
  const [status, killedBy] = await once(child, "close")
    .catch((cause) => {
      throw failure(editor, cause);
    })
    .finally(forget);
  if (status !== 0) throw failure(editor, new Error(`It ended with ${status ?? killedBy}.`));
}

/**
 * `EDITOR` may contain arguments, as in `code --wait`, so a shell parses it. On POSIX systems the
 * file name is not part of the shell's text.
 */
function start(editor: string, file: string) {
  // Here, because it loads sockets and more, and the prompt need not wait for them.
  const { spawn } = process.getBuiltinModule("node:child_process");
  if (process.platform === "win32")
    return spawn(`${editor} "${file}"`, { shell: true, stdio: "inherit" });
  return spawn("/bin/sh", ["-c", `${editor} "$1"`, "sh", file], { stdio: "inherit" });
}

function defaultEditor(): string {
  return process.platform === "win32" ? "notepad" : "vi";
}

function failure(editor: string, cause: unknown): AgnoChatError {
  return new AgnoChatError(
    "INVALID_INPUT",
    `The editor "${editor}" failed; the text is unchanged.`,
    {
      hint: "Set VISUAL or EDITOR to an editor that waits until you close the file, such as vi.",
      cause,
    },
  );
}
