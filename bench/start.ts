import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { median, reportRatio } from "./report.js";

// A native module, which cannot be bundled.
const { spawn } = createRequire(import.meta.url)(
  "@lydell/node-pty",
) as typeof import("@lydell/node-pty");

const ROUNDS = 15;
const CLI = process.argv[2] ?? "bin/agno-chat.js";
const LIBRARY = JSON.stringify(pathToFileURL("dist/index.js").href);
/** The prompt has colours, so control sequences may come before the `>`. */
const PROMPT = /alice\S*>/;

const home = mkdtempSync(path.join(tmpdir(), "agno-chat-start-"));
const env = { ...process.env, AGNO_CHAT_HOME: home };

const bare = () => timeOf("-e", "0");
const STARTS: Readonly<Record<string, () => number | Promise<number>>> = {
  "import of the library": () => timeOf("--input-type=module", "-e", `import ${LIBRARY}`),
  "--version": () => timeOf(CLI, "--version"),
  ask: () => timeOf(CLI, "ask", "--model", "demo", "--user", "alice", "Hi"),
  "prompt on screen": () => timeToPrompt(CLI, "--model", "demo", "--user", "alice"),
};

/** Milliseconds until the program ends. */
function timeOf(...args: string[]): number {
  const started = performance.now();
  spawnSync(process.execPath, args, { env, stdio: "ignore" });
  return performance.now() - started;
}

/** Milliseconds until the program shows the prompt; NaN if it ends without one. */
function timeToPrompt(...args: string[]): Promise<number> {
  const started = performance.now();
  let elapsed = Number.NaN;
  let written = "";
  const program = spawn(process.execPath, args, { env });
  program.onData((data) => {
    written += data;
    if (!Number.isNaN(elapsed) || !PROMPT.test(written)) return;
    elapsed = performance.now() - started;
    program.kill("SIGKILL");
  });
  return new Promise((resolve) => program.onExit(() => resolve(elapsed)));
}

/** In turn with a bare Node, so that a busy machine slows both. */
for (const [what, start] of Object.entries(STARTS)) {
  const pairs: { bare: number; taken: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) pairs.push({ bare: bare(), taken: await start() });
  const ratio = median(pairs.map((pair) => pair.taken / pair.bare));
  const ms = median(pairs.map(({ taken }) => taken));
  reportRatio(ratio, `${what} / node -e 0`, `${ms.toFixed(0)} ms`);
}
rmSync(home, { recursive: true });
