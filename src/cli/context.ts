import { Agent } from "../agent/agent.js";
import type { Memory } from "../memory/memory.js";
import { openMemory } from "../memory/open.js";
import type { Model } from "../models/model.js";
import type { Toolkit } from "../tools/tool.js";
import type { Io } from "./io.js";
import { chooseModel, openModel } from "./model-choice.js";
import { Output } from "./output.js";
import { homeOf } from "./settings/home.js";
import { type Flags, resolveSettings, type Settings } from "./settings/settings.js";
import { readSettingsFile } from "./settings/settings-file.js";

/** The flags every command takes. */
export interface CommonOptions extends Flags {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
  readonly color: boolean;
  readonly yes: boolean;
}

/** What a command works with. */
export interface Context {
  readonly io: Io;
  readonly options: CommonOptions;
  readonly home: string;
  readonly settings: Settings;
  readonly output: Output;
  /** Aborts when the process is asked to end. */
  readonly signal: AbortSignal;
}

export async function createContext(
  io: Io,
  options: CommonOptions,
  signal: AbortSignal,
): Promise<Context> {
  const home = homeOf(io.env);
  const file = await readSettingsFile(home);
  const settings = resolveSettings({ flags: options, env: io.env, file, home });
  return { io, options, home, settings, output: new Output(io, options), signal };
}

/** Opens the memory for as long as the work takes. */
export async function withMemory<T>(
  { settings }: Context,
  work: (memory: Memory) => Promise<T>,
): Promise<T> {
  const memory = await openMemory(settings.values.store);
  try {
    return await work(memory);
  } finally {
    await memory.close();
  }
}

const DEMO_NOTE =
  "Answering with the built-in demo model. For a real one: export OPENAI_API_KEY=…, or --base-url http://localhost:11434/v1";

/** The model the settings mean. Says so when it is the demo model and nobody named it. */
export async function modelOf(
  { settings, io, output, signal }: Context,
  delayMs = 0,
): Promise<Model> {
  const choice = chooseModel(settings, io.env);
  if (choice.kind === "demo" && !choice.named) output.note(DEMO_NOTE);
  return openModel(choice, { signal, delayMs });
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
  const toolkits = await toolkitsOf(context);
  const instructions = system === undefined ? {} : { instructions: system };
  return new Agent({ ...parts, toolkits, historyLimit, ...instructions });
}
