import type { Agent } from "../../agent/agent.js";
import { AgnoChatError, asAgnoChatError } from "../../errors.js";
import type { ChatServer } from "../../server/server.js";
import type { Context } from "../context.js";
import { durationOf } from "../duration.js";
import { endingSignals } from "../ending-signals.js";
import { agentOf, modelOf, withMemory } from "../open.js";
import { wordsFor } from "./prune.js";

const HOUR = 3_600_000;

export interface ServeOptions {
  readonly host?: string;
  readonly port?: string;
  readonly allowAnonymous?: boolean;
  readonly removeInactive?: string;
  readonly publicUrl?: string;
  readonly trustedProxies?: string;
  readonly keepAlive?: string;
}

/** `serve`: the agent over HTTP and A2A, until the process is told to end. */
export async function serve(
  context: Context,
  _args: string[],
  options: ServeOptions,
): Promise<void> {
  const { host = "127.0.0.1", port = "8080", allowAnonymous, removeInactive } = options;
  const { publicUrl, trustedProxies, keepAlive = "65s" } = options;
  const address = { host: String(host), port: portOf(port) };
  const maxAge =
    removeInactive === undefined ? undefined : durationOf(removeInactive, "--remove-inactive");
  await withMemory(context, async (memory) => {
    const agent = await agentOf(context, { model: await modelOf(context), memory });
    const { createServer } = await import("../../server/index.js");
    const server = createServer({
      agent,
      allowAnonymous: allowAnonymous === true,
      log: (line) => void context.io.stderr.write(`${line}\n`),
      ...(publicUrl === undefined ? {} : { publicUrl }),
      trustedProxies: trustedProxies?.split(",").map((address) => address.trim()) ?? [],
      timeouts: {
        reply: (context.settings.values.timeout ?? Infinity) * 1000,
        keepAlive: durationOf(keepAlive, "--keep-alive"),
      },
    });
    announce(context, await server.listen(address));
    const stopCleaning = maxAge === undefined ? () => {} : cleanHourly(context, agent, maxAge);
    await untilTold(context, server);
    stopCleaning();
  });
}

function portOf(text: unknown): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(String(text)) && port < 65_536) return port;
  throw new AgnoChatError("USAGE", `--port ${JSON.stringify(text)} is no port.`, {
    hint: "Ports go from 0, which means any free one, to 65535.",
  });
}

function announce({ options, output }: Context, url: string): void {
  if (options.json) output.document({ ok: true, url });
  output.note(
    `Listening on ${url}. Try: curl ${url}/chat -H 'Content-Type: application/json' -d '{"user_id":"alice","message":"My name is Alice"}'`,
  );
}

/** The first signal lets the requests under way end, another one does not wait for them. */
async function untilTold({ io, signal, output }: Context, server: ChatServer): Promise<void> {
  await aborted(signal);
  const closeNow = () => void server.close({ now: true });
  for (const ending of endingSignals) io.on(ending, closeNow);
  output.note("Finishing the requests under way. Another signal ends them.");
  try {
    await server.close();
  } finally {
    for (const ending of endingSignals) io.off(ending, closeNow);
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

/** At once, and then every hour. Returns how to stop. */
function cleanHourly(context: Context, agent: Agent, maxAge: number): () => void {
  const clean = () => void removeInactive(context, agent, maxAge);
  clean();
  const timer = setInterval(clean, HOUR);
  return () => clearInterval(timer);
}

/** A failure now is no reason to stop serving: the next hour brings another try. */
async function removeInactive(
  { options, output }: Context,
  agent: Agent,
  maxAge: number,
): Promise<void> {
  try {
    const force = options.yes === true;
    output.note(`Deleted ${wordsFor(await agent.removeInactive(maxAge, { force }))}.`);
  } catch (thrown) {
    const { code, message } = asAgnoChatError(thrown);
    const hint =
      code === "TOO_MANY_INACTIVE" ? " Check the clock; serve --yes deletes them anyway." : "";
    output.note(`Inactive users could not be deleted. ${message}${hint}`);
  }
}
