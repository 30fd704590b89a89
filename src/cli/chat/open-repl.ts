import type { NewAttachment } from "../../attachments.js";
import type { Memory } from "../../memory/memory.js";
import type { Model } from "../../models/model.js";
import type { Context } from "../command-context.js";
import { chooseModel, openChosenModel } from "../model-choice.js";
import { limitsIn, openConfiguredToolkits } from "../open-agent.js";
import { pricesOf } from "../prices.js";
import { Repl } from "./repl.js";
import type { ChatScreen } from "./screen.js";

/** Creates the REPL described by the settings, on an open memory. */
export async function openRepl(
  context: Context,
  parts: {
    memory: Memory;
    model: Model;
    screen: ChatScreen;
    lease?: boolean;
    delayMs?: number;
    /** Those that go with the first message of the speaker. */
    files?: readonly NewAttachment[] | undefined;
  },
): Promise<Repl> {
  const { user, session, system, timeout } = context.settings.values;
  const { historyLimit, historyTokens = Infinity } = context.settings.values;
  const {
    screen,
    memory,
    model,
    lease = context.settings.values.lease,
    delayMs = 0,
    files = [],
  } = parts;
  const toolkits = await openConfiguredToolkits(context);
  const repl = new Repl({
    parts: {
      ...{ memory, model, toolkits, lease, instructions: system, timeout },
      ...{ historyLimit, historyTokens },
      limits: limitsIn(context.settings),
    },
    screen,
    start: { userId: user, sessionId: session },
    prices: () => pricesOf(context),
    openModel: (name) => namedModel(context, name, delayMs),
  });
  for (const file of files) repl.files.add(user, file);
  return repl;
}

/** Opens a model by name, on the endpoint in the settings. */
async function namedModel(
  { settings, io, signal }: Context,
  name: string,
  delayMs: number,
): Promise<Model> {
  const values = { ...settings.values, model: name };
  const origins = { ...settings.origins, model: "flag" as const };
  return openChosenModel(chooseModel({ values, origins }, io.env), { signal, delayMs });
}
