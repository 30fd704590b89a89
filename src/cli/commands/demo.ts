import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pause } from "../../abort.js";
import { DemoModel } from "../../models/demo.js";
import type { Context } from "../command-context.js";
import { storeOf } from "../open-agent.js";
import { runScriptSession } from "../script/script-session.js";

const SCRIPT = "demo.chat";

/** Pace on a terminal, in milliseconds: per word of a reply, and before each input. */
const PACE = { word: 10, input: 300 };

/** `demo`: plays the example of alice and bob, offline and on a temporary memory. */
export async function demo(context: Context): Promise<number> {
  const { io, signal } = context;
  const script = await readFile(join(packageRoot(), "examples", SCRIPT), "utf8");
  const isWatched = io.stdout.isTTY === true;
  return runScriptSession(context, {
    name: SCRIPT,
    source: Readable.from(isWatched ? paced(script, signal) : [script]),
    model: new DemoModel({ delayMs: isWatched ? PACE.word : 0 }),
    store: storeOf(context),
    ownsHome: false,
    mayDelete: true,
    keepGoing: false,
    echo: true,
  });
}

async function* paced(script: string, signal: AbortSignal): AsyncGenerator<string> {
  for (const line of script.split(/(?<=\n)/)) {
    const isInput = /^[^#?\s]/.test(line);
    if (isInput) await pause(PACE.input, signal);
    yield line;
  }
}

/** The folder of package.json. Resolved, because the build moves this file. */
const packageRoot = (): string =>
  dirname(createRequire(import.meta.url).resolve("agno-chat/package.json"));
