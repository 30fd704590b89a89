import type { Agent } from "../agent/agent.js";
import type { Memory } from "../memory/memory.js";
import { openMemory } from "../memory/open.js";
import type { Model } from "../models/model.js";
import type { Toolkit } from "../tools/tool.js";
import type { Context } from "./context.js";
import { chooseModel, openChosenModel } from "./model-choice.js";
import { requireHome } from "./settings/home.js";

/**
 * Where the settings keep conversations.
 * @throws {AgnoChatError} `CONFIG_INVALID` when nothing names a store and there is no home folder
 */
export function storeOf({ settings, home }: Context): string {
  return settings.values.store ?? requireHome(home);
}

/** Opens the memory for as long as the work takes. */
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
  "Answering with the built-in demo model. For a real one: export OPENAI_API_KEY=…, or --base-url http://localhost:11434/v1";

/** The model the settings mean. Says so when it is the demo model and nobody named it. */
export async function modelOf({ settings, io, output, signal }: Context): Promise<Model> {
  const choice = chooseModel(settings, io.env);
  if (choice.kind === "built-in" && !choice.named) output.note(DEMO_NOTE);
  return openChosenModel(choice, { signal });
}

/** The toolkits the settings name; none unless they name some. */
export async function toolkitsOf({ settings }: Context): Promise<readonly Toolkit[]> {
  const { tools } = settings.values;
  if (tools === undefined) return [];
  const { openToolkits } = await import("../tools/open-toolkits.js");
  return openToolkits(tools);
}

/** The agent the settings mean, on an open model and memory. */
export async function agentOf(
  context: Context,
  parts: { model: Model; memory: Memory },
): Promise<Agent> {
  const { system, historyLimit } = context.settings.values;
  const { Agent } = await import("../agent/agent.js");
  const toolkits = await toolkitsOf(context);
  const instructions = system === undefined ? {} : { instructions: system };
  return new Agent({ ...parts, toolkits, historyLimit, ...instructions });
}
