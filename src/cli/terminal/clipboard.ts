import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Io } from "../io.js";

/** Where the text was sent. A terminal does not report whether it accepted it. */
export type Copied = "clipboard" | "tmux" | "terminal";

export interface ClipboardOptions {
  readonly env: Io["env"];
  readonly platform?: NodeJS.Platform;
  /** Writes a sequence to the terminal. */
  readonly write: (sequence: string) => void;
  readonly signal: AbortSignal;
}

/** A program that copies its stdin to a clipboard. */
interface CopyProgram {
  readonly command: readonly [file: string, ...args: string[]];
  readonly to: Copied;
  readonly encoding?: BufferEncoding;
}

const PROGRAM_TIMEOUT_MS = 2000;

/**
 * Copies with a local program or tmux, whose exit code reports success; otherwise with OSC 52,
 * which also works over SSH.
 * @returns undefined when there is no way to copy
 */
export async function copyText(
  text: string,
  { env, platform = process.platform, write, signal }: ClipboardOptions,
): Promise<Copied | undefined> {
  for (const program of programsFor(env, platform)) {
    if (await run(program, text, { env, signal })) return program.to;
    signal.throwIfAborted();
  }
  if (env.TERM === "dumb") return undefined;
  // Base64, so the terminal interprets nothing in the text.
  write(`\u001b]52;c;${Buffer.from(text).toString("base64")}\u0007`);
  return "terminal";
}

/** The programs to try, in order. Over SSH, local ones would fill the remote clipboard. */
function programsFor(env: Io["env"], platform: NodeJS.Platform): CopyProgram[] {
  const isRemote = Boolean(env.SSH_CONNECTION ?? env.SSH_TTY);
  return [...(isRemote ? [] : localPrograms(env, platform)), ...(env.TMUX ? TMUX : [])];
}

function localPrograms(env: Io["env"], platform: NodeJS.Platform): CopyProgram[] {
  const to = "clipboard";
  if (platform === "darwin") return [{ command: ["pbcopy"], to }];
  // It reads UTF-16; any other input is read in the legacy code page.
  const windows: CopyProgram = { command: ["clip.exe"], to, encoding: "utf16le" };
  if (platform === "win32") return [windows];
  return [
    ...(env.WSL_DISTRO_NAME ? [windows] : []),
    ...(env.WAYLAND_DISPLAY ? [{ command: ["wl-copy"], to } as const] : []),
    ...(env.DISPLAY ? X11 : []),
  ];
}

const X11: readonly CopyProgram[] = [
  { command: ["xclip", "-selection", "clipboard"], to: "clipboard" },
  { command: ["xsel", "--clipboard", "--input"], to: "clipboard" },
];

/** `-w` also passes the text to the outer terminal. tmux before 3.2 does not support it. */
const TMUX: readonly CopyProgram[] = [
  { command: ["tmux", "load-buffer", "-w", "-"], to: "tmux" },
  { command: ["tmux", "load-buffer", "-"], to: "tmux" },
];

/** Whether the program was found and succeeded. */
async function run(
  { command: [file, ...args], encoding = "utf8" }: CopyProgram,
  text: string,
  { env, signal }: Pick<ClipboardOptions, "env" | "signal">,
): Promise<boolean> {
  const child = spawn(file, args, {
    // Some keep running to serve the clipboard; they must not hold our pipes open.
    stdio: ["pipe", "ignore", "ignore"],
    timeout: PROGRAM_TIMEOUT_MS,
    killSignal: "SIGKILL",
    windowsHide: true,
    env,
    signal,
  });
  child.stdin?.on("error", () => {}); // it ended before it had read everything
  child.stdin?.end(text, encoding);
  try {
    const [code] = await once(child, "exit");
    return code === 0;
  } catch {
    return false;
  }
}
