import type { Io } from "./io.js";
import { Output } from "./output.js";
import { homeOf } from "./settings/home.js";
import type { OptionRows, ServerFile } from "./settings/server-file.js";
import { type Flags, resolveSettings, type Settings, usableSettings } from "./settings/settings.js";
import { readSettingsFile } from "./settings/settings-file.js";

/** The flags that every command takes and that are not settings. */
export interface CommonOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
  readonly color: boolean;
  readonly yes: boolean;
  /** False: nothing of the conversation may stay behind. The store is then `memory:`. */
  readonly save: boolean;
}

export interface Context {
  readonly io: Io;
  readonly options: CommonOptions;
  /** The data folder. Undefined when the account has no usable one; see `requireHome`. */
  readonly home: string | undefined;
  readonly settings: Settings;
  /** The options of the command that the file named by `--config` gives. */
  readonly fileOptions: ServerFile["options"];
  readonly output: Output;
  /** Aborts when the process is asked to end. */
  readonly signal: AbortSignal;
  /** The context with the files as they are now. Fails as `createContext` does. */
  readonly reread: () => Promise<Context>;
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
  /** A file to read instead of the settings file, which may also give options of the command. */
  readonly config?: { readonly path: string; readonly rows: OptionRows } | undefined;
}

/** @throws {AgnoChatError} for an invalid setting, naming where it came from */
export async function createContext(parts: ContextOptions): Promise<Context> {
  const { io, options, flags, signal, fixed } = parts;
  const home = homeOf(io.env);
  const output = new Output(io, options);
  const file = fixed === undefined ? await readFile(parts, home, output) : NO_FILE;
  const sources =
    fixed === undefined
      ? { flags, env: io.env, file: file.settings }
      : { flags: fixed, env: {}, file: {} };
  const settings = resolveSettings({ ...sources, home });
  const reread = () => createContext(parts);
  return { io, options, home, settings, fileOptions: file.options, output, signal, reread };
}

const NO_FILE: ServerFile = { settings: {}, options: {} };

async function readFile(
  { config, repairsSettings }: ContextOptions,
  home: string | undefined,
  output: Output,
): Promise<ServerFile> {
  if (config !== undefined) {
    const { readServerFile } = await import("./settings/server-file.js");
    return readServerFile(config.path, config.rows);
  }
  const settings = home === undefined ? {} : await readSettingsFile(home);
  return {
    settings: repairsSettings ? usableSettings(settings, (fault) => output.note(fault)) : settings,
    options: {},
  };
}
