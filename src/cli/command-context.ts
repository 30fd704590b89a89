import type { Io } from "./io.js";
import { Output } from "./output.js";
import { homeOf } from "./settings/home.js";
import { type Flags, resolveSettings, type Settings, usableSettings } from "./settings/settings.js";
import { readSettingsFile } from "./settings/settings-file.js";

/** The flags that every command takes and that are not settings. */
export interface CommonOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
  readonly color: boolean;
  readonly yes: boolean;
}

export interface Context {
  readonly io: Io;
  readonly options: CommonOptions;
  /** The data folder. Undefined when the account has no usable one; see `requireHome`. */
  readonly home: string | undefined;
  readonly settings: Settings;
  readonly output: Output;
  /** Aborts when the process is asked to end. */
  readonly signal: AbortSignal;
}

export interface ContextOptions {
  readonly io: Io;
  readonly options: CommonOptions;
  readonly flags: Flags;
  readonly signal: AbortSignal;
  /** Use these settings alone and ignore flags, environment and settings file. */
  readonly fixed?: Flags | undefined;
  /** Skip invalid values of the settings file with a note instead of failing. */
  readonly repairsSettings?: boolean | undefined;
}

/** @throws {AgnoChatError} for an invalid setting, naming where it came from */
export async function createContext(parts: ContextOptions): Promise<Context> {
  const { io, options, flags, signal, fixed, repairsSettings } = parts;
  const home = homeOf(io.env);
  const output = new Output(io, options);
  const fileSettings = async () => {
    const file = home === undefined ? {} : await readSettingsFile(home);
    return repairsSettings ? usableSettings(file, (fault) => output.note(fault)) : file;
  };
  const sources =
    fixed === undefined
      ? { flags, env: io.env, file: await fileSettings() }
      : { flags: fixed, env: {}, file: {} };
  const settings = resolveSettings({ ...sources, home });
  return { io, options, home, settings, output, signal };
}
