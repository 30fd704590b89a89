import { join } from "node:path";
import { AgnoChatError } from "../../errors.js";
import {
  DEFAULT_SESSION_ID,
  DEFAULT_USER_ID,
  validateSessionId,
  validateUserId,
} from "../../ids.js";
import { nearest } from "../../nearest.js";
import type { Io } from "../io.js";
import type { FileSettings } from "./settings-file.js";

interface Definition {
  readonly describe: string;
  /** The environment variable that sets it. */
  readonly env?: string;
  /** The text as a value; throws an AgnoChatError or a plain Error that says what it must be. */
  readonly parse: (text: string) => string | number;
  readonly secret?: boolean;
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

const environmentName = (value: string): string => {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(value))
    throw new Error("must be the name of an environment variable, not a key");
  return value;
};

/** Every setting: what it means, the variable that sets it, and what it may be. */
export const DEFINITIONS = {
  user: { describe: "user to talk as", env: "AGNO_CHAT_USER", parse: validateUserId },
  session: { describe: "session of that user", parse: validateSessionId },
  model: { describe: "model that answers", env: "AGNO_CHAT_MODEL", parse: text },
  baseUrl: { describe: "URL of an OpenAI-compatible server", env: "OPENAI_BASE_URL", parse: url },
  apiKey: { describe: "key for that server", env: "OPENAI_API_KEY", parse: text, secret: true },
  apiKeyEnv: { describe: "environment variable that holds the key", parse: environmentName },
  store: { describe: "where conversations are kept", env: "AGNO_CHAT_STORE", parse: text },
  system: { describe: "instructions the model is given first", parse: text },
  timeout: { describe: "seconds a reply may take", parse: seconds },
  historyLimit: { describe: "history messages the model is sent", parse: wholeNumber },
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
  readonly store: string;
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

/** Values as they were typed, by setting. */
export type Flags = Readonly<Partial<Record<SettingName, string>>>;

export interface Sources {
  readonly flags: Flags;
  readonly env: Io["env"];
  readonly file: FileSettings;
  readonly home: string;
}

/**
 * Flag, then environment, then settings file, then default.
 * @throws {AgnoChatError} for a value that cannot be meant; it names the value's origin
 */
export function resolveSettings({ flags, env, file, home }: Sources): Settings {
  const values: Record<string, unknown> = defaultsIn(home);
  const origins: Record<string, Origin> = {};
  for (const name of SETTING_NAMES) {
    const named = find(name, { flags, env, file });
    origins[name] = named?.origin ?? "default";
    if (named !== undefined) values[name] = parseSetting(name, named.text, named.place);
  }
  return {
    values: values as unknown as SettingValues,
    origins: origins as Record<SettingName, Origin>,
  };
}

const defaultsIn = (home: string): Partial<SettingValues> => ({
  user: DEFAULT_USER_ID,
  session: DEFAULT_SESSION_ID,
  store: `sqlite:${join(home, "chat.db")}`,
  historyLimit: 200,
});

function find(name: SettingName, { flags, env, file }: Omit<Sources, "home">) {
  const definition: Definition = DEFINITIONS[name];
  const flag = flags[name];
  if (flag !== undefined) return { text: flag, origin: "flag", place: flagOf(name) } as const;
  const variable = definition.env === undefined ? undefined : env[definition.env];
  // An empty variable counts as unset, as everywhere in a shell.
  if (variable)
    return { text: variable, origin: "environment", place: definition.env as string } as const;
  const stored = Object.hasOwn(file, name) ? file[name] : undefined;
  if (stored === undefined) return undefined;
  return { text: String(stored), origin: "settings file", place: `the setting ${name}` } as const;
}

/** @throws {AgnoChatError} `CONFIG_INVALID`, `USAGE` for a flag, or what an id is refused with */
export function parseSetting(name: SettingName, value: string, place: string): string | number {
  const definition: Definition = DEFINITIONS[name];
  try {
    return definition.parse(value);
  } catch (thrown) {
    if (thrown instanceof AgnoChatError) throw thrown;
    const shown = definition.secret ? "" : ` ${JSON.stringify(value)}`;
    const code = place.startsWith("--") ? "USAGE" : "CONFIG_INVALID";
    throw new AgnoChatError(code, `${place}${shown} ${(thrown as Error).message}.`);
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

const flagOf = (name: SettingName): string =>
  `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** A value as it may be shown: a secret only by its last characters. */
export function shownValue(name: SettingName, value: unknown): string {
  const definition: Definition = DEFINITIONS[name];
  if (value === undefined) return "";
  return definition.secret ? `…${String(value).slice(-4)}` : String(value);
}
