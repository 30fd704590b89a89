import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { median } from "./report.js";

// A native module, which cannot be bundled.
const { spawn } = createRequire(import.meta.url)(
  "@lydell/node-pty",
) as typeof import("@lydell/node-pty");

const ROUNDS = 15;
/** The prompt has colours, so control sequences may come before the `>`. */
const PROMPT = /alice\S*>/;
const CLI = process.argv[2] ?? "bin/agno-chat.js";

/** Starts the REPL up to its prompt and a bare Node in turn, so that a busy machine slows both. */
async function compare(home: string): Promise<void> {
  const bare: number[] = [];
  const prompt: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await timeOf(["-e", "0"], home));
    prompt.push(await timeOf([CLI, "--user", "alice"], home));
  }
  const [nothing, shown] = [median(bare), median(prompt)];
  console.log(`node -e 0: ${nothing.toFixed(0)} ms; prompt: ${shown.toFixed(0)} ms`);
  console.log(`${(shown / nothing).toFixed(2)}x a bare node -e 0 until the prompt is on screen`);
}

/** Milliseconds until the program shows the prompt or ends. */
function timeOf(args: string[], home: string): Promise<number> {
  const started = performance.now();
  let elapsed: number | undefined;
  let written = "";
  const program = spawn(process.execPath, args, { env: { ...process.env, AGNO_CHAT_HOME: home } });
  program.onData((data) => {
    written += data;
    if (elapsed !== undefined || !PROMPT.test(written)) return;
    elapsed = performance.now() - started;
    program.kill("SIGKILL");
  });
  return new Promise((resolve) => {
    program.onExit(() => resolve(elapsed ?? performance.now() - started));
  });
}

const home = mkdtempSync(path.join(tmpdir(), "agno-chat-prompt-"));
await compare(home);
rmSync(home, { recursive: true });
