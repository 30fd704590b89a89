import type { Memory } from "../../memory/memory.js";
import type { Model } from "../../models/model.js";
import type { Context } from "../command-context.js";
import { chooseModel, openChosenModel } from "../model-choice.js";
import { openConfiguredToolkits } from "../open-agent.js";
import { Repl } from "./repl.js";
import type { Screen } from "./screen.js";

/** The REPL the settings mean, on an open memory. */
export async function openRepl(
  context: Context,
  parts: { memory: Memory; model: Model; screen: Screen; delayMs?: number },
): Promise<Repl> {
  const { user, session, system, historyLimit, timeout } = context.settings.values;
  const { screen, memory, model, delayMs = 0 } = parts;
  const toolkits = await openConfiguredToolkits(context);
  return new Repl({
    parts: { memory, model, toolkits, historyLimit, instructions: system, timeout },
    screen,
    start: { userId: user, sessionId: session },
    openModel: (name) => namedModel(context, name, delayMs),
  });
}

/** Another model on the endpoint of the settings; the one they mean anyway is asked for as everywhere. */
async function namedModel(
  { settings, io, signal }: Context,
  name: string,
  delayMs: number,
): Promise<Model> {
  const values = { ...settings.values, model: name };
  const origins = { ...settings.origins, model: "flag" as const };
  return openChosenModel(chooseModel({ values, origins }, io.env), { signal, delayMs });
}
