import { AgnoChatError, ERROR_TABLE } from "../../errors.js";
import { singleLine } from "../../sanitise.js";
import type { Context } from "../context.js";
import { hintFor } from "../hints.js";
import { type OpenEndpoint, openEndpoint } from "../model-choice.js";
import { columnsOf } from "../render/size.js";
import { wrapText } from "../render/wrap.js";
import { requireHome } from "../settings/home.js";
import { settingsPath, writeSettings } from "../settings/settings-file.js";
import {
  changesOf,
  type Draft,
  endpointOfDraft,
  keyOfEnvironment,
  variablesBefore,
} from "./draft.js";
import { runningAt } from "./probe.js";
import { askKey, askMend, askModel, askServer, type Mend } from "./questions.js";
import { OFFERED_SERVERS, type OfferedServer } from "./servers.js";
import { firstWords, modelsAt } from "./try-out.js";

/** Seconds a local model may take to load and answer, unless the settings say otherwise. */
const PATIENCE = 60;

/** Characters. */
const LONGEST_LINE = 400;
const LONGEST_ANSWER = 60;

/**
 * Asks on the terminal which model to use, tries it, and saves it.
 * @returns the exit code: 130 when the user left, and then nothing has changed
 */
export async function setUp(
  context: Context,
  offered: readonly OfferedServer[] = OFFERED_SERVERS,
): Promise<number> {
  try {
    await save(context, await settledDraft(context, offered));
    return 0;
  } catch (thrown) {
    if (!isCancelled(thrown)) throw thrown;
    say(context, "Nothing changed.");
    return ERROR_TABLE.CANCELLED.exit;
  }
}

/** A draft that answered, or that is wanted all the same. */
async function settledDraft(context: Context, offered: readonly OfferedServer[]): Promise<Draft> {
  let draft = await newDraft(context, offered);
  for (;;) {
    try {
      const server = await openEndpoint(endpointOfDraft(draft, context), context.signal);
      if (draft.model === undefined) {
        draft = { ...draft, names: await listedModels(context, draft, server) };
        draft = { ...draft, model: await askModel(context, draft.names) };
      }
      await showAnswer(context, draft.model as string, server);
      return draft;
    } catch (thrown) {
      showFailure(context, thrown);
    }
    const mend = await askMend(context);
    if (mend === "save") return draft;
    draft =
      mend === "server" ? await newDraft(context, offered) : await mended(context, draft, mend);
  }
}

async function newDraft(context: Context, offered: readonly OfferedServer[]): Promise<Draft> {
  const local = offered.flatMap(({ isLocal, baseUrl }) => (isLocal && baseUrl ? [baseUrl] : []));
  const server = await askServer(context, { offered, running: await runningAt(local) });
  const draft = { server, key: "", model: undefined, names: [] };
  return server.isLocal ? draft : withKey(context, draft);
}

async function withKey(context: Context, draft: Draft): Promise<Draft> {
  const isOpenAI = draft.server.baseUrl === undefined;
  const isInEnvironment = isOpenAI && keyOfEnvironment(context.io.env) !== undefined;
  const isOptional = !isOpenAI || isInEnvironment;
  const alone = isInEnvironment ? "the one in OPENAI_API_KEY" : "none";
  const message = isOptional ? `Key, or !command (Enter alone: ${alone})` : "Key, or !command";
  return { ...draft, key: await askKey(context, { message, isOptional }) };
}

async function mended(context: Context, draft: Draft, mend: Mend): Promise<Draft> {
  if (mend === "key") return withKey(context, draft);
  if (mend === "model") return { ...draft, model: await askModel(context, draft.names) };
  return draft;
}

async function listedModels(
  context: Context,
  { server: { name, baseUrl } }: Draft,
  server: OpenEndpoint,
): Promise<string[]> {
  say(context, `  Listing the models of ${baseUrl ?? name} …`);
  const names = await modelsAt(server, context.signal);
  if (names.length === 0) say(context, "  It lists none.");
  return names;
}

async function showAnswer(context: Context, model: string, server: OpenEndpoint): Promise<void> {
  const { signal, settings } = context;
  const seconds = settings.values.timeout ?? PATIENCE;
  say(context, `  Asking ${model} to say hello …`);
  const began = performance.now();
  const text = await firstWords({ ...server, model }, { signal, seconds });
  const took = ((performance.now() - began) / 1000).toFixed(1);
  const words = text.trim() === "" ? "an empty answer" : `"${singleLine(text, LONGEST_ANSWER)}"`;
  say(context, `✔ ${words} (${took} s)`);
}

/** A line for what a server, a key or a model did wrong; anything else is not for mending. */
function showFailure(context: Context, thrown: unknown): void {
  if (!(thrown instanceof AgnoChatError) || isCancelled(thrown)) throw thrown;
  say(context, `✖ ${thrown.message} ${hintFor(thrown) ?? ""}`);
}

async function save(context: Context, draft: Draft): Promise<void> {
  const home = requireHome(context.home);
  await writeSettings(home, changesOf(draft));
  say(context, `✔ Saved in ${settingsPath(home)}. Talk with: agno-chat`);
  const variables = variablesBefore(draft, context).join(", ");
  if (variables !== "")
    say(context, `  But the environment goes before the settings file: unset ${variables}.`);
}

function say({ io: { stderr } }: Context, line: string): void {
  const [indent = ""] = /^ */.exec(line) ?? [];
  const text = singleLine(line, LONGEST_LINE);
  stderr.write(wrapText(text, { width: columnsOf(stderr), indent }));
}

const isCancelled = (thrown: unknown): boolean =>
  thrown instanceof AgnoChatError && thrown.code === "CANCELLED";
