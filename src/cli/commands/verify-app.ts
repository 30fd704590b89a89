import { AgnoChatError } from "../../errors.js";
import { maskSecrets } from "../../secrets.js";
import { isLoopback } from "../../server/access.js";
import { chatApp } from "../../verify/doors/chat-app.js";
import { plantedLeaks } from "../../verify/doubles/judge-the-judge.js";
import { randomSeed } from "../../verify/random.js";
import { reportOf, type VerifyReport } from "../../verify/report/report.js";
import { checkApp, checksOf, liveAppCalls } from "../../verify/targets/app.js";
import { LIVE_USERS } from "../../verify/targets/live.js";
import { APP_RUNS, APP_USERS } from "../../verify/targets/send.js";
import { newPrefix, userIds } from "../../verify/users.js";
import { checkCounts } from "../../verify/verify-isolation.js";
import type { Context } from "../command-context.js";
import { requireConfirmation } from "../confirm.js";
import { VERSION } from "../version.js";
import { openPaidModel } from "./verify-live.js";
import type { VerifyCounts, VerifyOptions } from "./verify-options.js";
import { withTokens } from "./verify-tokens.js";

const SHAPES = ["chat", "openai", "a2a"] as const;

type Shape = (typeof SHAPES)[number];

/**
 * `verify --url`: drives an app over HTTP as its users. With `--upstream` it is the app's model as
 * well, and so sees everything that the app sends; with `--live` it passes that on to the model of
 * the settings.
 * @throws {AgnoChatError} `USAGE`; `NOT_CONFIRMED` for an app on another machine
 */
export async function verifyAnyApp(
  context: Context,
  { url = "", as: shape = "chat", ...options }: VerifyOptions,
  { seed = randomSeed(), record, ...counts }: VerifyCounts,
): Promise<VerifyReport> {
  const { signal, output } = context;
  checkShape(shape);
  const upstream = addressOf(options.upstream);
  const { users = options.live ? LIVE_USERS : APP_USERS } = counts;
  const { runs = Math.max(options.live ? LIVE_USERS : APP_RUNS, users), maxCalls } = counts;
  checkCounts(users, runs, "--");
  const rounds = Math.ceil(runs / users);
  if (!isThisMachine(url))
    await requireConfirmation(
      context,
      `Send test messages of ${users} new users to ${maskSecrets(url)}?`,
    );
  await refuseUnreachable(url, signal);
  const live = options.live
    ? { model: await openPaidModel(context, liveAppCalls(users, rounds), maxCalls), maxCalls }
    : undefined;
  const started = performance.now();
  const planted = await plantedLeaks(seed, signal);
  const { body, reply, header: headers, clear } = options;
  // New ids each time: the app may have kept those of the last check.
  const ids = userIds(users, newPrefix());
  const check = (tokenOf?: (userId: string) => string) =>
    checkApp(chatApp({ url, as: shape, body, reply, headers, tokenOf, clear }), {
      ...{ upstream, users: ids, rounds, seed, signal, record, live },
      onUpstream: (base) => output.note(`Listening as the app's model: OPENAI_BASE_URL=${base}`),
    });
  const result = await (options.tokens ? withTokens(context, ids, check) : check());
  signal.throwIfAborted();
  return reportOf({
    ...{ results: [result], planted, seed, version: VERSION, gaps: result.gaps },
    evidence: [result.evidence],
    notProved: result.notProved,
    checks: checksOf(result, clear !== undefined && live === undefined),
    target: {
      ...{ kind: shape, url: maskSecrets(url) },
      ...(live && { model: live.model.name }),
    },
    durationMs: Math.round(performance.now() - started),
  });
}

/** Any answer will do, so the request changes nothing. */
async function refuseUnreachable(url: string, signal: AbortSignal): Promise<void> {
  try {
    const response = await fetch(url, { method: "HEAD", signal });
    await response.body?.cancel();
  } catch (cause) {
    signal.throwIfAborted();
    throw new AgnoChatError("SYSTEM_FAILED", `Cannot reach ${maskSecrets(url)}.`, {
      hint: "Start the app, then try again.",
      cause,
    });
  }
}

function checkShape(name: string): asserts name is Shape {
  if (SHAPES.some((shape) => shape === name)) return;
  throw new AgnoChatError("USAGE", `There is no shape ${JSON.stringify(name)}.`, {
    hint: `Known: ${SHAPES.join(", ")}.`,
  });
}

/** `HOST:PORT` or a port alone, which is on this machine. */
function addressOf(text: string | undefined): { host: string; port: number } | undefined {
  if (text === undefined) return undefined;
  const [, host = "127.0.0.1", port = ""] = /^(?:(.*):)?(\d{1,5})$/.exec(text) ?? [];
  if (port !== "" && Number(port) <= 65_535)
    return { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
  throw new AgnoChatError("USAGE", `--upstream must be HOST:PORT, not ${JSON.stringify(text)}.`);
}

function isThisMachine(url: string): boolean {
  if (!URL.canParse(url))
    throw new AgnoChatError(
      "USAGE",
      `--url must be a URL, not ${JSON.stringify(maskSecrets(url))}.`,
      {
        hint: "For example: --url http://127.0.0.1:8080/chat.",
      },
    );
  return isLoopback(new URL(url).hostname);
}
