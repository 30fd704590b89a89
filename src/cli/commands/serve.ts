import { onAbort } from "../../abort.js";
import type { Agent } from "../../agent/agent.js";
import { AgnoChatError, asAgnoChatError } from "../../errors.js";
import type { ChatServer } from "../../server/server.js";
import type { Context } from "../command-context.js";
import { parseDuration } from "../duration.js";
import { endingSignals, listenExclusively } from "../ending-signals.js";
import { createConfiguredAgent, limitsIn, openConfiguredModel, withMemory } from "../open-agent.js";
import { ReplaceableModel } from "../replaceable-model.js";
import { type ObserverOptions, Observers } from "../serve/observers.js";
import type { Settings } from "../settings/settings.js";
import { wordsFor } from "./prune.js";
import { tokensOf } from "./token.js";

const HOUR = 3_600_000;

export interface ServeOptions extends ObserverOptions {
  readonly config?: string;
  readonly host?: string;
  readonly port?: string;
  readonly auth?: string;
  readonly allowAnonymous?: boolean;
  readonly removeInactive?: string;
  readonly publicUrl?: string;
  readonly trustedProxies?: string;
  readonly keepAlive?: string;
}

/** `serve`: serves the agent over HTTP and A2A until a signal ends the process. */
export async function serve(
  context: Context,
  _args: string[],
  options: ServeOptions,
): Promise<void> {
  const { host = "127.0.0.1", port = "8080", allowAnonymous, removeInactive } = options;
  const { auth, config, publicUrl, trustedProxies, keepAlive = "65s" } = options;
  if (auth !== undefined && auth !== "tokens") throw unknownAuth(auth);
  const address = { host: String(host), port: portOf(port), fd: givenSocket(context.io.env) };
  const maxAge =
    removeInactive === undefined ? undefined : parseDuration(removeInactive, "--remove-inactive");
  await withMemory(context, async (memory) => {
    const model = new ReplaceableModel(await openConfiguredModel(context));
    const current = { settings: context.settings };
    const limits = () => limitsIn(current.settings);
    const agent = await createConfiguredAgent(context, { model, memory, limits });
    const { createServer } = await import("../../server/index.js");
    const observers = await Observers.open(context, options);
    try {
      const server = createServer({
        agent,
        allowAnonymous: allowAnonymous === true,
        ...(auth === undefined ? {} : { tokens: tokensOf(memory) }),
        log: (line) => void context.io.stderr.write(`${line}\n`),
        record: observers.record,
        ...(publicUrl === undefined ? {} : { publicUrl }),
        trustedProxies: trustedProxies?.split(",").map((address) => address.trim()) ?? [],
        timeouts: {
          reply: (context.settings.values.timeout ?? Infinity) * 1000,
          keepAlive: parseDuration(keepAlive, "--keep-alive"),
        },
      });
      observers.watch(server);
      announce(context, await server.listen(address), { withToken: auth !== undefined });
      const stopSweeping = maxAge === undefined ? () => {} : sweepHourly(context, agent, maxAge);
      const stopReloading =
        config === undefined ? () => {} : reloadOnHangUp(context, model, current);
      await untilSignalled(context, server);
      stopReloading();
      stopSweeping();
    } finally {
      observers.close();
    }
  });
}

/** The listening socket that systemd or another parent gave to this process: sd_listen_fds(3). */
const givenSocket = (env: Context["io"]["env"]): number | undefined =>
  env.LISTEN_PID === String(process.pid) && env.LISTEN_FDS === "1" ? 3 : undefined;

function portOf(text: unknown): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(String(text)) && port < 65_536) return port;
  throw new AgnoChatError("USAGE", `--port ${JSON.stringify(text)} is not a port.`, {
    hint: "Use a number from 0 (any free port) to 65535.",
  });
}

const unknownAuth = (auth: string) =>
  new AgnoChatError("USAGE", `--auth ${JSON.stringify(auth)} is not known.`, {
    hint: "Use --auth tokens.",
  });

function announce(
  { options, output }: Context,
  url: string,
  { withToken }: { readonly withToken: boolean },
): void {
  if (options.json) output.document({ ok: true, url });
  const [header, who] = withToken
    ? [" -H 'Authorization: Bearer TOKEN'", ""]
    : ["", '"user_id":"alice",'];
  output.note(
    `Listening on ${url}. Try: curl ${url}/chat${header} -H 'Content-Type: application/json' -d '{${who}"message":"My name is Alice"}'`,
  );
}

/** The first signal lets the current requests finish; a second one ends them at once. */
async function untilSignalled({ io, signal, output }: Context, server: ChatServer): Promise<void> {
  await new Promise<void>((resolve) => onAbort(signal, resolve));
  const closeNow = () => void server.close({ now: true });
  for (const ending of endingSignals) io.on(ending, closeNow);
  output.note("Finishing the current requests. Another signal ends them.");
  try {
    await server.close();
  } finally {
    for (const ending of endingSignals) io.off(ending, closeNow);
  }
}

/**
 * On SIGHUP, reads the settings anew: the model with its server and key, and the limits of
 * everybody. A file that is not valid changes nothing. Returns a function that stops it.
 */
function reloadOnHangUp(
  context: Context,
  model: ReplaceableModel,
  current: { settings: Settings },
): () => void {
  const { output } = context;
  const reload = async () => {
    try {
      const changed = await context.reread();
      model.replace(await openConfiguredModel(changed));
      current.settings = changed.settings;
      output.note(`Reloaded the model ${model.name}, its key and the limits.`);
    } catch (thrown) {
      const { message, hint = "" } = asAgnoChatError(thrown);
      output.note(`Nothing was reloaded. ${message} ${hint}`.trimEnd());
    }
  };
  return listenExclusively(context.io, ["SIGHUP"], () => void reload());
}

/** Deletes inactive users now and every hour. Returns a function that stops it. */
function sweepHourly(context: Context, agent: Agent, maxAge: number): () => void {
  const sweep = () => void removeInactive(context, agent, maxAge);
  sweep();
  const timer = setInterval(sweep, HOUR);
  return () => clearInterval(timer);
}

/** A failure is only noted: serving goes on, and the next hour tries again. */
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
      code === "TOO_MANY_INACTIVE"
        ? " Check the clock. With serve --yes they are deleted anyway."
        : "";
    output.note(`Cannot delete inactive users. ${message}${hint}`);
  }
}
