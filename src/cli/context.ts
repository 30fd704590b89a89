import type { Io } from "./io.js";
import { Output } from "./output.js";
import { homeOf } from "./settings/home.js";
import { type Flags, resolveSettings, type Settings, usableIn } from "./settings/settings.js";
import { readSettingsFile } from "./settings/settings-file.js";

/** The flags every command takes that are no settings. */
export interface CommonOptions {
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
  /** Undefined when the account has no usable one; see `requireHome`. */
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
  /** All the settings there are; without them they come from flags, environment and file. */
  readonly fixed?: Flags | undefined;
  /** Leave out, with a remark, what the settings file says and cannot mean. */
  readonly mends?: boolean | undefined;
}

/** @throws {AgnoChatError} for settings that cannot be meant, wherever they come from */
export async function createContext(parts: ContextOptions): Promise<Context> {
  const { io, options, flags, signal, fixed, mends } = parts;
  const home = homeOf(io.env);
  const output = new Output(io, options);
  const fileSettings = async () => {
    const file = home === undefined ? {} : await readSettingsFile(home);
    return mends ? usableIn(file, (fault) => output.note(fault)) : file;
  };
  const sources =
    fixed === undefined
      ? { flags, env: io.env, file: await fileSettings() }
      : { flags: fixed, env: {}, file: {} };
  const settings = resolveSettings({ ...sources, home });
  return { io, options, home, settings, output, signal };
}
