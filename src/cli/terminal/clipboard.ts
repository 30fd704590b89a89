import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Io } from "../io.js";

/** Where a text went, as far as that is known: a terminal never says whether it took what it was sent. */
export type Copied = "clipboard" | "tmux" | "terminal";

export interface ClipboardOptions {
  readonly env: Io["env"];
  readonly platform?: NodeJS.Platform;
  /** Shows the terminal a sequence. */
  readonly write: (sequence: string) => void;
  readonly signal: AbortSignal;
}

/** A program that puts what it reads where it can be pasted from. */
interface Program {
  readonly command: readonly [file: string, ...args: string[]];
  readonly to: Copied;
  readonly encoding?: BufferEncoding;
}

const LIMIT_MS = 2000;

/**
 * Copies with a program of this machine or of tmux, whose exit code says whether it did; else with OSC 52, which works
 * over SSH too.
 * @returns undefined where there is nothing to copy with
 */
export async function copyText(
  text: string,
  { env, platform = process.platform, write, signal }: ClipboardOptions,
): Promise<Copied | undefined> {
  for (const program of programsIn(env, platform)) {
    if (await run(program, text, { env, signal })) return program.to;
    signal.throwIfAborted();
  }
  if (env.TERM === "dumb") return undefined;
  // As base64, so nothing in the text is live.
  write(`\u001b]52;c;${Buffer.from(text).toString("base64")}\u0007`);
  return "terminal";
}

/** The programs to try, in order. Over SSH those of this machine would fill a clipboard that nobody sits at. */
function programsIn(env: Io["env"], platform: NodeJS.Platform): Program[] {
  const isRemote = Boolean(env.SSH_CONNECTION ?? env.SSH_TTY);
  return [...(isRemote ? [] : localPrograms(env, platform)), ...(env.TMUX ? TMUX : [])];
}

function localPrograms(env: Io["env"], platform: NodeJS.Platform): Program[] {
  const to = "clipboard";
  if (platform === "darwin") return [{ command: ["pbcopy"], to }];
  // It takes UTF-16, and anything else for the old code page.
  const windows: Program = { command: ["clip.exe"], to, encoding: "utf16le" };
  if (platform === "win32") return [windows];
  return [
    ...(env.WSL_DISTRO_NAME ? [windows] : []),
    ...(env.WAYLAND_DISPLAY ? [{ command: ["wl-copy"], to } as const] : []),
    ...(env.DISPLAY ? X11 : []),
  ];
}

const X11: readonly Program[] = [
  { command: ["xclip", "-selection", "clipboard"], to: "clipboard" },
  { command: ["xsel", "--clipboard", "--input"], to: "clipboard" },
];

/** With -w it hands the text on to the terminal outside; a tmux before 3.2 does not know it. */
const TMUX: readonly Program[] = [
  { command: ["tmux", "load-buffer", "-w", "-"], to: "tmux" },
  { command: ["tmux", "load-buffer", "-"], to: "tmux" },
];

/** Whether the program was there and ended well. */
async function run(
  { command: [file, ...args], encoding = "utf8" }: Program,
  text: string,
  { env, signal }: Pick<ClipboardOptions, "env" | "signal">,
): Promise<boolean> {
  const child = spawn(file, args, {
    // Some stay behind to serve the clipboard: they must not hold a pipe of ours.
    stdio: ["pipe", "ignore", "ignore"],
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
    windowsHide: true,
    env,
    signal,
  });
  child.stdin?.on("error", () => {}); // it ended without having read everything
  child.stdin?.end(text, encoding);
  try {
    const [code] = await once(child, "exit");
    return code === 0;
  } catch {
    return false;
  }
}
