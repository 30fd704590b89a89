import { Agent } from "../agent/agent.js";
import { noLimits } from "../memory/failures.js";
import type { Limits, Memory, UserLimits } from "../memory/memory.js";
import { openMemory } from "../memory/open-memory.js";
import type { Model } from "../models/model.js";
import type { Toolkit } from "../tools/tool.js";
import type { Context } from "./command-context.js";
import { chooseModel, openChosenModel } from "./model-choice.js";
import { requireHome } from "./settings/home.js";
import type { Settings } from "./settings/settings.js";

/**
 * The store in the settings.
 * @throws {AgnoChatError} `CONFIG_INVALID` when no store is named and there is no home folder
 */
export function storeOf({ settings, home }: Context): string {
  return settings.values.store ?? requireHome(home);
}

/** Opens the memory, runs `work` with it and closes it. */
export async function withMemory<T>(
  context: Context,
  work: (memory: Memory) => Promise<T>,
): Promise<T> {
  const memory = await openMemory(storeOf(context), {
    notice: (line) => context.output.note(line),
  });
  try {
    return await work(memory);
  } finally {
    await memory.close();
  }
}

const DEMO_NOTE =
  "Using the built-in demo model. For a real one: export OPENAI_API_KEY=…, or --base-url http://localhost:11434/v1";

/** Opens the model in the settings. Notes on stderr when it is the demo model by default. */
export async function openConfiguredModel({
  settings,
  io,
  output,
  signal,
}: Context): Promise<Model> {
  const choice = chooseModel(settings, io.env);
  if (choice.kind === "built-in" && !choice.named) output.note(DEMO_NOTE);
  return openChosenModel(choice, { signal });
}

/** Opens the toolkits in the settings; none by default. */
export async function openConfiguredToolkits({ settings }: Context): Promise<readonly Toolkit[]> {
  const { tools } = settings.values;
  if (tools === undefined) return [];
  const { openToolkits } = await import("../tools/open-toolkits.js");
  return openToolkits(tools);
}

/** What each user may use who has no limits of their own. */
export const limitsIn = ({ values }: Settings): Limits => ({
  requestsPerMinute: values.maxRequestsPerMinute,
  runsAtOnce: values.maxRunsAtOnce,
  tokensPerDay: values.maxTokensPerDay,
  bytesKept: values.maxBytesKept,
});

/** @throws {AgnoChatError} `USAGE` for a memory without limits */
export function limitsOf({ limits }: Memory): UserLimits {
  if (limits === undefined) throw noLimits();
  return limits;
}

/** Creates the agent described by the settings, on an open model and memory. */
export async function createConfiguredAgent(
  context: Context,
  parts: { model: Model; memory: Memory; limits?: () => Limits },
): Promise<Agent> {
  const { settings } = context;
  const { lease } = settings.values;
  const request = await configuredRequest(context);
  return new Agent({ limits: limitsIn(settings), lease, ...request, ...parts });
}

/** What the settings say of a request to the model, as options of an agent. */
export async function configuredRequest(context: Context) {
  const { system, historyLimit, historyTokens = Infinity } = context.settings.values;
  const instructions = system === undefined ? {} : { instructions: system };
  const toolkits = await openConfiguredToolkits(context);
  return { toolkits, historyLimit, historyTokens, ...instructions };
}
