import { join } from "node:path";
import { AgnoChatError } from "../../errors.js";
import { DEFAULT_SESSION_ID, DEFAULT_USER_ID } from "../../ids.js";
import { nearest } from "../../nearest.js";
import { maskSecrets } from "../../secrets.js";
import type { Io } from "../io.js";
import { commandIn } from "./key-command.js";
import type { FileSettings } from "./settings-file.js";
import {
  type Definition,
  longFlagOf,
  SETTING_NAMES,
  SETTINGS,
  type SettingName,
  type SettingValues,
} from "./table.js";

/** Where a value was named. */
export type Origin = "flag" | "environment" | "settings file" | "default";

export interface Settings {
  readonly values: SettingValues;
  readonly origins: Readonly<Record<SettingName, Origin>>;
}

/** Values as they were typed, by setting. */
export type Flags = Readonly<Partial<Record<SettingName, string>>>;

export interface Sources {
  readonly flags: Flags;
  readonly env: Io["env"];
  readonly file: FileSettings;
  readonly home: string | undefined;
}

/**
 * Flag, then environment, then settings file, then default.
 * @throws {AgnoChatError} for a value that cannot be meant; it names the value's origin
 */
export function resolveSettings({ flags, env, file, home }: Sources): Settings {
  const values: Record<string, unknown> = defaultsIn(home);
  const origins: Record<string, Origin> = {};
  for (const name of SETTING_NAMES) {
    // A key belongs to its server: with one of the settings file, a key of the environment has no say.
    const isFilesKey = name === "apiKey" && origins.baseUrl === "settings file";
    const named = find(name, { flags, env: isFilesKey ? {} : env, file });
    origins[name] = named?.origin ?? "default";
    if (named !== undefined) values[name] = parseSetting(name, named.value, named);
  }
  return {
    values: values as unknown as SettingValues,
    origins: origins as Record<SettingName, Origin>,
  };
}

/** The settings of the file that can be meant; each of the others is told. */
export function usableIn(file: FileSettings, tell: (fault: string) => void): FileSettings {
  const isUsable = (name: SettingName): boolean => {
    try {
      const named = find(name, { flags: {}, env: {}, file });
      if (named !== undefined) parseSetting(name, named.value, named);
      return named !== undefined;
    } catch (thrown) {
      tell((thrown as Error).message);
      return false;
    }
  };
  return Object.fromEntries(SETTING_NAMES.filter(isUsable).map((name) => [name, file[name]]));
}

const defaultsIn = (home: string | undefined): Partial<SettingValues> => ({
  user: DEFAULT_USER_ID,
  session: DEFAULT_SESSION_ID,
  store: home === undefined ? undefined : `sqlite:${join(home, "chat.db")}`,
  historyLimit: 200,
});

function find(name: SettingName, { flags, env, file }: Omit<Sources, "home">) {
  const definition: Definition = SETTINGS[name];
  const flag = flags[name];
  if (flag !== undefined)
    return { value: flag, origin: "flag", place: `${longFlagOf(name)}`, code: "USAGE" } as const;
  const variable = definition.env === undefined ? undefined : env[definition.env];
  // An empty variable counts as unset, as everywhere in a shell.
  const code = "CONFIG_INVALID";
  if (variable)
    return { value: variable, origin: "environment", place: `${definition.env}`, code } as const;
  const stored = Object.hasOwn(file, name) ? file[name] : undefined;
  if (stored === undefined) return undefined;
  return { value: stored, origin: "settings file", place: `The setting ${name}`, code } as const;
}

export interface Place {
  /** What it is called there. */
  readonly place: string;
  /** What a bad value there is. */
  readonly code: "USAGE" | "CONFIG_INVALID";
}

/** @throws {AgnoChatError} with the code of its place, or what an id is refused with; the message names the place */
export function parseSetting(
  name: SettingName,
  value: unknown,
  { place, code }: Place,
): string | number {
  const definition: Definition = SETTINGS[name];
  try {
    if (typeof value !== "string" && typeof value !== "number")
      throw new Error("must be a text or a number");
    return definition.parse(String(value));
  } catch (thrown) {
    const { message } = thrown as Error;
    if (thrown instanceof AgnoChatError) throw thrown.with({ message: `${place}: ${message}` });
    const isHidden = definition.secret || definition.mayBeKey;
    const shown = isHidden ? "" : ` ${maskSecrets(JSON.stringify(value))}`;
    throw new AgnoChatError(code, `${place}${shown} ${message}.`);
  }
}

/** @throws {AgnoChatError} `USAGE` with the nearest known name */
export function settingNameOf(name: string): SettingName {
  if (Object.hasOwn(SETTINGS, name)) return name as SettingName;
  const near = nearest(name, SETTING_NAMES);
  throw new AgnoChatError("USAGE", `There is no setting ${JSON.stringify(name)}.`, {
    hint: near === undefined ? `Known: ${SETTING_NAMES.join(", ")}.` : `Did you mean ${near}?`,
  });
}

/** A value as it may be shown, null when there is none: of a key its last characters, of a command that prints it all. */
export function shownValue({ values, origins }: Settings, name: SettingName): string | null {
  const definition: Definition = SETTINGS[name];
  const value = values[name];
  if (value === undefined) return null;
  const text = String(value);
  const isCommand = origins[name] === "settings file" && commandIn(text) !== undefined;
  return definition.secret && !isCommand ? masked(text) : maskSecrets(text);
}

/** Four characters of a short key would be most of it. */
const masked = (key: string): string => (key.length < 16 ? "…" : `…${key.slice(-4)}`);
