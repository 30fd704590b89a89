import { execFile } from "node:child_process";
import { onAbort } from "../../abort.js";
import { packagePath } from "../../data/package-path.js";
import { DEFAULT_SESSION_ID } from "../../ids.js";
import type { SessionState } from "../../memory/memory.js";
import type { StoredMessage } from "../../messages.js";
import type { Whose } from "../finding.js";
import { bareEnvironment } from "../processes/environment.js";
import type { Clearer, Door, Reader } from "./door.js";

export interface CommandLineOptions {
  /** The store, as `--store` takes it. */
  readonly spec: string;
  /** The model's base URL. */
  readonly baseUrl: string;
  /** An empty folder, in place of the user's settings. */
  readonly home: string;
  /** Kills the commands. */
  readonly signal: AbortSignal;
}

/** The ways in of the command line: each use is a process of its own, without a shell. */
export function commandLineDoors(options: CommandLineOptions) {
  const run = (command: string, whose: Whose, ...more: readonly string[]): Promise<string> =>
    outputOf([command, `--user=${whose.userId}`, `--session=${whose.sessionId}`, ...more], options);
  const read = async (command: string, whose: Whose): Promise<Told> =>
    JSON.parse(await run(command, whose, "--json"));
  const door: Door = {
    name: "agno-chat ask",
    send: async ({ text, ...whose }) =>
      (await run("ask", whose, "--no-stdin", "--", text)).trimEnd(),
  };
  const readers: readonly Reader[] = [
    {
      name: "agno-chat size",
      read: async (whose) => ({ count: (await read("size", whose)).messages as number }),
    },
    {
      name: "agno-chat stats",
      read: async (whose) => ({ count: (await read("stats", whose)).messages as number }),
    },
    {
      name: "agno-chat export",
      async read(whose) {
        const { messages, state = {} } = await read("export", whose);
        return { messages: messages as StoredMessage[], state };
      },
    },
    {
      name: "agno-chat context",
      read: async (whose) => ({
        messages: (await read("context", whose)).messages as StoredMessage[],
      }),
    },
  ];
  const clearer: Clearer = {
    name: "agno-chat clear",
    clear: (userId, sessionId = DEFAULT_SESSION_ID) => run("clear", { userId, sessionId }, "--yes"),
  };
  const ageClearer: Clearer = {
    name: "agno-chat clear --older-than",
    clear: (userId, sessionId = DEFAULT_SESSION_ID) =>
      run("clear", { userId, sessionId }, "--older-than", "0s", "--yes"),
  };
  return { door, readers, clearers: [clearer, ageClearer] };
}

/** What a command answers to `--json`. */
interface Told {
  readonly messages: number | StoredMessage[];
  readonly state?: SessionState;
}

const MOST_OUTPUT = 16 * 1024 * 1024;

/** What a command writes to stdout; rejects with what it writes to stderr when it fails. */
function outputOf(
  args: readonly string[],
  { spec, baseUrl, home, signal }: CommandLineOptions,
): Promise<string> {
  const env = {
    ...bareEnvironment(),
    ...{ AGNO_CHAT_HOME: home, AGNO_CHAT_STORE: spec, AGNO_CHAT_MODEL: "verify" },
    OPENAI_BASE_URL: baseUrl,
  };
  return new Promise((resolve, reject) => {
    const command = [packagePath("bin/agno-chat.js"), ...args];
    const limits = { env, maxBuffer: MOST_OUTPUT };
    const child = execFile(process.execPath, command, limits, (error, stdout, stderr) => {
      ended();
      if (error === null) resolve(stdout);
      else reject(new Error(stderr.trim() || `It ended with ${error.code ?? error.signal}.`));
    });
    const ended = onAbort(signal, () => void child.kill("SIGKILL"));
  });
}
