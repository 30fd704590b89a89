import type { Io } from "./io.js";
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
