import { join } from "node:path";
import { AgnoChatError } from "../../errors.js";
import { DEFAULT_SESSION_ID, DEFAULT_USER_ID, type SessionId, type UserId } from "../../ids.js";
import { maskSecrets } from "../../secrets.js";
import type { Io } from "../io.js";
import type { FileSettings } from "./settings-file.js";
import {
  type Definition,
  longFlagOf,
  type Parsed,
  SETTING_NAMES,
  SETTINGS,
  type SettingName,
  type SettingValues,
} from "./settings-table.js";

/** Where a value comes from. */
export type Origin = "flag" | "environment" | "settings file" | "default";

export interface Settings {
  readonly values: SettingValues;
  readonly origins: Readonly<Record<SettingName, Origin>>;
}

/** The session that a flag or setting names; undefined, which means all of the user, otherwise. */
export const namedSession = ({ values, origins }: Settings): SessionId | undefined =>
  origins.session === "default" ? undefined : values.session;

/** The user whom a flag names: not one of the environment, the file or the default. */
export const namedUser = ({ values, origins }: Settings): UserId | undefined =>
  origins.user === "flag" ? values.user : undefined;

/** Values of the flags as typed, by setting; true for a flag that takes none. */
export type Flags = Readonly<Partial<Record<SettingName, string | true>>>;

export interface Sources {
  readonly flags: Flags;
  readonly env: Io["env"];
  readonly file: FileSettings;
  readonly home: string | undefined;
}

/**
 * Resolves every setting: flag over environment over settings file over default.
 * @throws {AgnoChatError} for an invalid value; the message says where it comes from
 */
export function resolveSettings({ flags, env, file, home }: Sources): Settings {
  const values: Partial<Parsed> = {};
  const origins: Record<string, Origin> = {};
  const resolve = <Name extends SettingName>(name: Name): void => {
    // A server in the settings file never gets a key from the environment.
    const isFilesKey = name === "apiKey" && origins.baseUrl === "settings file";
    const named = findValue(name, { flags, env: isFilesKey ? {} : env, file });
    origins[name] = named?.origin ?? "default";
    if (named !== undefined) values[name] = parseSetting(name, named.value, named);
  };
  for (const name of SETTING_NAMES) resolve(name);
  return {
    values: { ...defaultsIn(home), ...values },
    origins: origins as Record<SettingName, Origin>,
  };
}

/**
 * For a command that is not about one user, who may still be in the environment or the file.
 * @throws {AgnoChatError} `USAGE` when a flag names a user or session
 */
export function refuseUserFlags(
  { origins }: Settings,
  messageFor: (flag: string) => string,
  hint: string,
): void {
  for (const name of ["user", "session"] as const)
    if (origins[name] === "flag")
      throw new AgnoChatError("USAGE", messageFor(`--${name}`), { hint });
}

/** The valid settings of the file; `report` gets a message about each of the others. */
export function usableSettings(file: FileSettings, report: (fault: string) => void): FileSettings {
  for (const name of Object.keys(file))
    if (!Object.hasOwn(SETTINGS, name))
      report(`The settings file has the unknown setting ${JSON.stringify(name)}.`);
  const isUsable = (name: SettingName): boolean => {
    try {
      const named = findValue(name, { flags: {}, env: {}, file });
      if (named !== undefined) parseSetting(name, named.value, named);
      return named !== undefined;
    } catch (thrown) {
      report((thrown as Error).message);
      return false;
    }
  };
  return Object.fromEntries(SETTING_NAMES.filter(isUsable).map((name) => [name, file[name]]));
}

const defaultsIn = (home: string | undefined): SettingValues => ({
  user: DEFAULT_USER_ID,
  session: DEFAULT_SESSION_ID,
  ...(home !== undefined && { store: `sqlite:${join(home, "chat.db")}` }),
  historyLimit: 200,
  lease: false,
});

function findValue(name: SettingName, { flags, env, file }: Omit<Sources, "home">) {
  const definition: Definition = SETTINGS[name];
  const flag = flags[name];
  if (flag !== undefined)
    return { value: flag, origin: "flag", label: `${longFlagOf(name)}`, code: "USAGE" } as const;
  const variable = definition.env === undefined ? undefined : env[definition.env];
  // An empty variable counts as unset, as is usual in a shell.
  const code = "CONFIG_INVALID";
  if (variable)
    return { value: variable, origin: "environment", label: `${definition.env}`, code } as const;
  const stored = Object.hasOwn(file, name) ? file[name] : undefined;
  if (stored === undefined) return undefined;
  return { value: stored, origin: "settings file", label: `The setting ${name}`, code } as const;
}

/** Where a value was given, for the error when it is invalid. */
export interface SettingSource {
  /** What the value is called there, such as `--timeout` or `OPENAI_BASE_URL`. */
  readonly label: string;
  /** The error code for an invalid value. */
  readonly code: "USAGE" | "CONFIG_INVALID";
}

/** The table by name, so that each value keeps its type. */
const DEFINITIONS: { readonly [Name in SettingName]: Definition<Parsed[Name]> } = SETTINGS;

/** @throws {AgnoChatError} with the code of its source, or the code for an invalid id */
export function parseSetting<Name extends SettingName>(
  name: Name,
  value: unknown,
  { label, code }: SettingSource,
): Parsed[Name] {
  const definition = DEFINITIONS[name];
  const { numeric = false, isSwitch = false } = definition;
  const isFitting =
    (numeric && typeof value === "number") || (isSwitch && typeof value === "boolean");
  try {
    if (typeof value !== "string" && !isFitting)
      throw new Error(
        `must be ${numeric ? "a number" : isSwitch ? "true or false" : "a text in quotes"}`,
      );
    return definition.parse(String(value));
  } catch (thrown) {
    const { message } = thrown as Error;
    if (thrown instanceof AgnoChatError) throw thrown.with({ message: `${label}: ${message}` });
    const isHidden = definition.secret || definition.mayBeKey;
    const shown = isHidden ? "" : ` ${maskSecrets(JSON.stringify(value))}`;
    throw new AgnoChatError(code, `${label}${shown} ${message}.`);
  }
}
