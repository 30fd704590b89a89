import { AgnoChatError, ERROR_TABLE } from "../../errors.js";
import { singleLine } from "../../sanitise.js";
import type { Context } from "../command-context.js";
import { hintFor } from "../hints.js";
import { type ResolvedEndpoint, resolveEndpoint } from "../model-choice.js";
import { noteLine } from "../note-line.js";
import { columnsOf } from "../render/terminal-size.js";
import { wrapText } from "../render/wrap.js";
import { requireHome } from "../settings/home.js";
import { settingsPath, writeSettings } from "../settings/settings-file.js";
import { findRunning } from "./probe.js";
import { OFFERED_SERVERS, type OfferedServer } from "./servers.js";
import {
  changesOf,
  endpointOfChoice,
  keyOfEnvironment,
  type SetupChoice,
  variablesBefore,
} from "./setup-choice.js";
import { askKey, askModel, askRepair, askServer, type Repair } from "./setup-questions.js";
import { firstWords, modelsAt } from "./try-out.js";

/** How long a local model may take to load and answer, unless the settings name a timeout. */
const ANSWER_LIMIT_SECONDS = 60;

/** Characters. */

const LONGEST_ANSWER = 60;

/**
 * Asks on the terminal which model to use, tests it and saves the choice.
 * @returns the exit code; 130 when the user cancelled, and then nothing has changed
 */
export async function setUp(
  context: Context,
  offered: readonly OfferedServer[] = OFFERED_SERVERS,
): Promise<number> {
  try {
    await save(context, await chooseUntilSettled(context, offered));
    return 0;
  } catch (thrown) {
    if (!isCancelled(thrown)) throw thrown;
    say(context, "Nothing changed.");
    return ERROR_TABLE.CANCELLED.exit;
  }
}

/** Asks until the chosen model answers, or the user saves it anyway. */
async function chooseUntilSettled(
  context: Context,
  offered: readonly OfferedServer[],
): Promise<SetupChoice> {
  let choice = await newChoice(context, offered);
  for (;;) {
    try {
      const server = await resolveEndpoint(endpointOfChoice(choice, context), context.signal);
      if (choice.model === undefined) {
        choice = { ...choice, names: await listedModels(context, choice, server) };
        choice = { ...choice, model: await askModel(context, choice.names) };
      }
      await showAnswer(context, choice.model as string, server);
      return choice;
    } catch (thrown) {
      showFailure(context, thrown);
    }
    const repair = await askRepair(context);
    if (repair === "save") return choice;
    choice =
      repair === "server"
        ? await newChoice(context, offered)
        : await repaired(context, choice, repair);
  }
}

async function newChoice(
  context: Context,
  offered: readonly OfferedServer[],
): Promise<SetupChoice> {
  const local = offered.flatMap(({ isLocal, baseUrl }) => (isLocal && baseUrl ? [baseUrl] : []));
  const server = await askServer(context, { offered, running: await findRunning(local) });
  const choice = { server, key: "", model: undefined, names: [] };
  return server.isLocal ? choice : withKey(context, choice);
}

async function withKey(context: Context, choice: SetupChoice): Promise<SetupChoice> {
  const isOpenAI = choice.server.baseUrl === undefined;
  const isInEnvironment = isOpenAI && keyOfEnvironment(context.io.env) !== undefined;
  const isOptional = !isOpenAI || isInEnvironment;
  const alone = isInEnvironment ? "the one in OPENAI_API_KEY" : "none";
  const message = isOptional ? `Key, or !command (Enter alone: ${alone})` : "Key, or !command";
  return { ...choice, key: await askKey(context, { message, isOptional }) };
}

async function repaired(
  context: Context,
  choice: SetupChoice,
  repair: Repair,
): Promise<SetupChoice> {
  if (repair === "key") return withKey(context, choice);
  if (repair === "model") return { ...choice, model: await askModel(context, choice.names) };
  return choice;
}

async function listedModels(
  context: Context,
  { server: { name, baseUrl } }: SetupChoice,
  server: ResolvedEndpoint,
): Promise<string[]> {
  say(context, `  Listing the models of ${baseUrl ?? name} …`);
  const names = await modelsAt(server, context.signal);
  if (names.length === 0) say(context, "  It lists no models.");
  return names;
}

async function showAnswer(
  context: Context,
  model: string,
  server: ResolvedEndpoint,
): Promise<void> {
  const { signal, settings } = context;
  const seconds = settings.values.timeout ?? ANSWER_LIMIT_SECONDS;
  say(context, `  Asking ${model} to say hello …`);
  const began = performance.now();
  const text = await firstWords({ ...server, model }, { signal, seconds });
  const took = ((performance.now() - began) / 1000).toFixed(1);
  const words = text.trim() === "" ? "an empty answer" : `"${singleLine(text, LONGEST_ANSWER)}"`;
  say(context, `✔ ${words} (${took} s)`);
}

/** Shows what is wrong with the server, key or model. Rethrows anything the user cannot repair. */
function showFailure(context: Context, thrown: unknown): void {
  if (!(thrown instanceof AgnoChatError) || isCancelled(thrown)) throw thrown;
  say(context, `✖ ${thrown.message} ${hintFor(thrown) ?? ""}`);
}

async function save(context: Context, choice: SetupChoice): Promise<void> {
  const home = requireHome(context.home);
  await writeSettings(home, changesOf(choice));
  say(context, `✔ Saved in ${settingsPath(home)}. Talk with: agno-chat`);
  const variables = variablesBefore(choice, context).join(", ");
  if (variables !== "")
    say(context, `  But the environment overrides the settings file: unset ${variables}.`);
}

function say({ io: { stderr } }: Context, line: string): void {
  const [indent = ""] = /^ */.exec(line) ?? [];
  stderr.write(wrapText(noteLine(line), { width: columnsOf(stderr), indent }));
}

const isCancelled = (thrown: unknown): boolean =>
  thrown instanceof AgnoChatError && thrown.code === "CANCELLED";
