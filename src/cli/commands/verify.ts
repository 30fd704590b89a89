import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { AgnoChatError } from "../../errors.js";
import { InMemory } from "../../memory/in-memory.js";
import { openMemory } from "../../memory/open-memory.js";
import { safeJson } from "../../safe-json.js";
import { maskSecrets } from "../../secrets.js";
import type { RecordedRequest } from "../../verify/recorder.js";
import { badgeText } from "../../verify/report/badge.js";
import { junitText } from "../../verify/report/junit.js";
import { markdownText } from "../../verify/report/markdown.js";
import type { VerifyReport } from "../../verify/report/report.js";
import { screenText } from "../../verify/report/screen.js";
import { AGENT_RUNS, AGENT_USERS } from "../../verify/targets/agent.js";
import type { ThrowawayMemory } from "../../verify/targets/target.js";
import { checkCounts, verifyIsolation } from "../../verify/verify-isolation.js";
import type { Context } from "../command-context.js";
import { openConfiguredToolkits, storeOf, withMemory } from "../open-agent.js";
import { createPalette } from "../render/colour.js";
import { progressLine } from "../render/progress-line.js";
import { refuseUserFlags } from "../settings/settings.js";
import { VERSION } from "../version.js";
import { wholeNumber } from "../whole-number.js";
import { writePrivateFile } from "../write-file.js";
import type { VerifyCounts, VerifyOptions } from "./verify-options.js";

/** A leak, or not everything could be shown: like an expectation that failed. */
const NOT_ISOLATED = 5;

/**
 * `verify`: drives the agent with many users at once on the store and tools of the settings, and
 * shows who saw whose texts. No model is called. With `--live` the model of the settings answers,
 * see `verify-live.ts`; with `--url` it drives any app instead, see `verify-app.ts`.
 */
export async function verify(
  context: Context,
  _args: string[],
  options: VerifyOptions,
): Promise<number> {
  refuseUserFlags(
    context.settings,
    (flag) => `verify makes users of its own and does not take ${flag}.`,
    "Say how many with --users COUNT.",
  );
  const requests: RecordedRequest[] = [];
  const counts = {
    users: wholeNumber("--users", options.users),
    runs: wholeNumber("--runs", options.runs),
    seed: wholeNumber("--seed", options.seed),
    maxCalls: wholeNumber("--max-calls", options.maxCalls),
    record:
      options.record === undefined
        ? undefined
        : (request: RecordedRequest) => void requests.push(request),
  };
  refuseAppOptions(options);
  refuseLiveOptions(options);
  const report = await checkWhatIsNamed(context, options, counts);
  await writeReports(report, requests, options);
  show(context, report);
  return report.ok ? 0 : NOT_ISOLATED;
}

const APP_OPTIONS = ["as", "upstream", "header", "tokens", "body", "reply", "clear"] as const;

function refuseAppOptions(options: VerifyOptions): void {
  const given = APP_OPTIONS.find((name) => options[name] !== undefined);
  if (given === undefined || options.url !== undefined) return;
  throw new AgnoChatError("USAGE", `--${given} needs --url.`, {
    hint: "For example: --url http://127.0.0.1:8080/chat --upstream 127.0.0.1:4000.",
  });
}

function refuseLiveOptions({ live, maxCalls, url, upstream }: VerifyOptions): void {
  if (maxCalls !== undefined && !live)
    throw new AgnoChatError("USAGE", "--max-calls needs --live.");
  if (Number(maxCalls) === 0)
    throw new AgnoChatError("USAGE", "--max-calls must be at least 1, not 0.");
  if (live && url !== undefined && upstream === undefined)
    throw new AgnoChatError("USAGE", "--live with --url needs --upstream.", {
      hint: "The app's requests are forwarded from there: --upstream 127.0.0.1:4000.",
    });
}

async function checkWhatIsNamed(
  context: Context,
  options: VerifyOptions,
  counts: VerifyCounts,
): Promise<VerifyReport> {
  if (options.url !== undefined)
    return (await import("./verify-app.js")).verifyAnyApp(context, options, counts);
  if (options.live) return (await import("./verify-live.js")).verifyLiveAgent(context, counts);
  return verifyOwnAgent(context, counts);
}

async function verifyOwnAgent(
  context: Context,
  { users = AGENT_USERS, runs = Math.max(AGENT_RUNS, users), seed, record }: VerifyCounts,
): Promise<VerifyReport> {
  checkCounts(users, runs, "--");
  const { signal, output, io, options } = context;
  output.note("Checking with planted texts; no model is called…");
  const palette = createPalette(io.stderr, { env: io.env, colorFlag: options.color });
  const progress = progressLine(io, palette.dim);
  const store = storeOf(context);
  const throwaway = await throwawayLike(store);
  try {
    const toolkits = await openConfiguredToolkits(context);
    return await withMemory(context, (memory) =>
      verifyIsolation(
        { memory, spec: isOutside(store) ? store : undefined, throwaway, toolkits },
        {
          ...{ users, runs, seed, record, signal },
          onProgress: options.quiet ? undefined : progress.show,
          version: VERSION,
          describe: { kind: "agent", store: maskSecrets(store) },
        },
      ),
    );
  } finally {
    progress.end();
    await throwaway.remove();
  }
}

/** Whether other processes can open the store as well. */
const isOutside = (store: string): boolean => !store.startsWith("memory:");

/** An empty store of the same kind as the one in the settings. */
async function throwawayLike(
  store: string,
): Promise<ThrowawayMemory & { remove(): Promise<void> }> {
  if (!store.startsWith("sqlite:")) return { open: () => new InMemory(), remove: async () => {} };
  const folder = await mkdtemp(join(tmpdir(), "agno-chat-verify-"));
  const file = join(folder, "throwaway.db");
  const spec = `sqlite:${file}`;
  return {
    spec,
    open: () => openMemory(spec),
    bytes: () => readFile(file),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function show({ options, output, io }: Context, report: VerifyReport): void {
  if (options.json) return output.document(report);
  const palette = createPalette(io.stdout, { env: io.env, colorFlag: options.color });
  const style = { good: palette.green, bad: palette.red, faint: palette.dim, strong: palette.bold };
  output.writeSafe(screenText(report, style));
}

async function writeReports(
  report: VerifyReport,
  requests: readonly RecordedRequest[],
  { junit, markdown, badge, record }: VerifyOptions,
): Promise<void> {
  if (junit !== undefined) await write(junit, junitText(report));
  if (markdown !== undefined) await write(markdown, markdownText(report));
  if (badge !== undefined) await write(badge, badgeText(report));
  if (record !== undefined)
    await write(record, requests.map((request) => `${safeJson(request)}\n`).join(""));
}

/** As a test reporter does, it replaces the file of the run before. */
async function write(file: string, text: string): Promise<void> {
  await writePrivateFile(file, Readable.from([text]), { overwrite: true });
}
