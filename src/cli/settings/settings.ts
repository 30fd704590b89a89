import { join } from "node:path";
import { AgnoChatError } from "../../errors.js";
import {
  DEFAULT_SESSION_ID,
  DEFAULT_USER_ID,
  validateSessionId,
  validateUserId,
} from "../../ids.js";
import { nearest } from "../../nearest.js";
import { maskSecrets } from "../../secrets.js";
import type { Io } from "../io.js";
import { commandIn } from "./key-command.js";
import type { FileSettings } from "./settings-file.js";

interface Definition {
  readonly describe: string;
  /** The environment variable that sets it. */
  readonly env?: string;
  /** The flag that sets it, without its dashes. Default: its name. */
  readonly flag?: string;
  /** The text as a value; throws an AgnoChatError or a plain Error that says what it must be. */
  readonly parse: (text: string) => string | number;
  readonly secret?: boolean;
  /** What somebody gave by mistake may be a key: it is not repeated. */
  readonly mayBeKey?: boolean;
}

const text = (value: string): string => {
  if (value.trim() === "") throw new Error("must not be empty");
  return value;
};

const wholeNumber = (value: string): number => {
  if (!/^\d{1,9}$/.test(value)) throw new Error("must be a whole number from 0 up");
  return Number(value);
};

const seconds = (value: string): number => {
  const number = Number(value.replace(/s$/, ""));
  if (!(number > 0 && number <= 86_400))
    throw new Error("must be a number of seconds, up to 86400");
  return number;
};

const url = (value: string): string => {
  const parsed = URL.canParse(value) ? new URL(value) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol))
    throw new Error("must be an http or https URL, such as http://localhost:11434/v1");
  return value;
};

/** In capitals: some keys look like a name in lower case. */
const environmentName = (value: string): string => {
  if (!/^[A-Z_][A-Z0-9_]*$/.test(value))
    throw new Error("must be the name of an environment variable, in capitals, and not a key");
  return value;
};

/** Every setting: what it means, the variable that sets it, and what it may be. */
export const DEFINITIONS = {
  user: { describe: "user to talk as", env: "AGNO_CHAT_USER", parse: validateUserId },
  session: { describe: "session of that user", parse: validateSessionId },
  model: { describe: "model that answers", env: "AGNO_CHAT_MODEL", parse: text },
  baseUrl: { describe: "URL of an OpenAI-compatible server", env: "OPENAI_BASE_URL", parse: url },
  apiKey: { describe: "key for that server", env: "OPENAI_API_KEY", parse: text, secret: true },
  apiKeyEnv: {
    describe: "environment variable that holds the key",
    parse: environmentName,
    mayBeKey: true,
  },
  store: { describe: "where conversations are kept", env: "AGNO_CHAT_STORE", parse: text },
  system: { describe: "instructions the model is given first", parse: text },
  timeout: { describe: "seconds a reply may take", parse: seconds },
  historyLimit: {
    describe: "history messages the model is sent",
    flag: "history",
    parse: wholeNumber,
  },
  tools: { describe: "toolkits the model may use, by comma", parse: text },
} as const satisfies Record<string, Definition>;

export type SettingName = keyof typeof DEFINITIONS;

export const SETTING_NAMES = Object.keys(DEFINITIONS) as SettingName[];

export interface SettingValues {
  readonly user: string;
  readonly session: string;
  readonly model: string | undefined;
  readonly baseUrl: string | undefined;
  readonly apiKey: string | undefined;
  readonly apiKeyEnv: string | undefined;
  /** Undefined when there is no home folder to keep it in by default. */
  readonly store: string | undefined;
  readonly system: string | undefined;
  readonly timeout: number | undefined;
  readonly historyLimit: number;
  readonly tools: string | undefined;
}

/** Where a value was named. */
export type Origin = "flag" | "environment" | "settings file" | "default";

export interface Settings {
  readonly values: SettingValues;
  readonly origins: Readonly<Record<SettingName, Origin>>;
}

type FlagOf<Name extends SettingName> = (typeof DEFINITIONS)[Name] extends { flag: infer Flag }
  ? Flag & string
  : Name;

/** Values as they were typed, by flag. */
export type Flags = Readonly<Partial<Record<FlagOf<SettingName>, string>>>;

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
  const definition: Definition = DEFINITIONS[name];
  const flag = flags[flagNameOf(name)];
  if (flag !== undefined)
    return { value: flag, origin: "flag", place: flagOf(name), code: "USAGE" } as const;
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
  const definition: Definition = DEFINITIONS[name];
  try {
    if (typeof value !== "string" && typeof value !== "number")
      throw new Error("must be a text or a number");
    return definition.parse(String(value));
  } catch (thrown) {
    const { message } = thrown as Error;
    if (thrown instanceof AgnoChatError)
      throw new AgnoChatError(thrown.code, `${place}: ${message}`, { hint: `${thrown.hint}` });
    const isHidden = definition.secret || definition.mayBeKey;
    const shown = isHidden ? "" : ` ${maskSecrets(JSON.stringify(value))}`;
    throw new AgnoChatError(code, `${place}${shown} ${message}.`);
  }
}

/** @throws {AgnoChatError} `USAGE` with the nearest known name */
export function settingNameOf(name: string): SettingName {
  if (Object.hasOwn(DEFINITIONS, name)) return name as SettingName;
  const near = nearest(name, SETTING_NAMES);
  throw new AgnoChatError("USAGE", `There is no setting ${JSON.stringify(name)}.`, {
    hint: near === undefined ? `Known: ${SETTING_NAMES.join(", ")}.` : `Did you mean ${near}?`,
  });
}

const flagNameOf = (name: SettingName): keyof Flags => {
  const { flag = name }: Definition = DEFINITIONS[name];
  return flag as keyof Flags;
};

const flagOf = (name: SettingName): string =>
  `--${flagNameOf(name).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** A value as it may be shown, null when there is none: of a key its last characters, of a command that prints it all. */
export function shownValue({ values, origins }: Settings, name: SettingName): string | null {
  const definition: Definition = DEFINITIONS[name];
  const value = values[name];
  if (value === undefined) return null;
  const text = String(value);
  const isCommand = origins[name] === "settings file" && commandIn(text) !== undefined;
  return definition.secret && !isCommand ? masked(text) : maskSecrets(text);
}

/** Four characters of a short key would be most of it. */
const masked = (key: string): string => (key.length < 16 ? "…" : `…${key.slice(-4)}`);
