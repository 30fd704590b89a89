import {
  DEFAULT_SESSION_ID,
  DEFAULT_USER_ID,
  type SessionId,
  type UserId,
  validateSessionId,
  validateUserId,
} from "../../ids.js";

/** One setting, as the command line, its help and docs/settings.md describe it. */
export interface Definition<Value extends string | number | boolean = string | number | boolean> {
  readonly describe: string;
  /** In commander's syntax, such as `-u, --user <id>`. */
  readonly flag?: string;
  /** The environment variable that sets it. */
  readonly env?: string;
  /**
   * Parses the text. Throws an AgnoChatError, or a plain Error whose message completes the sentence
   * "--timeout …".
   */
  readonly parse: (text: string) => Value;
  /** Whether the settings file may give it as a number. A number is no id: 1 and 1.0 are equal. */
  readonly numeric?: boolean;
  /** On or off: the flag takes no value, and the settings file may give true or false. */
  readonly isSwitch?: boolean;
  /** What Tab offers for it. */
  readonly values?: readonly string[];
  /** The default, in words. */
  readonly otherwise?: string;
  /** Only its last characters may be shown. */
  readonly secret?: boolean;
  /** An invalid value may be a key given by mistake, so errors do not repeat it. */
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

/** Up to a number that every store holds. */
export const limitCount = (value: string): number => {
  if (!/^\d{1,15}$/.test(value)) throw new Error("must be a whole number from 0 up");
  return Number(value);
};

const seconds = (value: string): number => {
  const number = Number(value.replace(/s$/, ""));
  if (!(number > 0 && number <= 86_400))
    throw new Error("must be a number of seconds, up to 86400");
  return number;
};

const trueOrFalse = (value: string): boolean => {
  if (!/^(true|false|1|0)$/.test(value)) throw new Error("must be true or false");
  return value === "true" || value === "1";
};

const url = (value: string): string => {
  const parsed = URL.canParse(value) ? new URL(value) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol))
    throw new Error("must be an http or https URL, such as http://localhost:11434/v1");
  return value;
};

/** Must be in capitals, since some keys look like a lower-case name. */
const environmentName = (value: string): string => {
  if (!/^[A-Z_][A-Z0-9_]*$/.test(value))
    throw new Error("must be the name of an environment variable, in capitals, and not a key");
  return value;
};

/** Every setting. Flags, environment variables, types, help and docs/settings.md follow it. */
export const SETTINGS = {
  user: {
    describe: "user to chat as",
    flag: "-u, --user <id>",
    env: "AGNO_CHAT_USER",
    parse: validateUserId,
    otherwise: DEFAULT_USER_ID,
  },
  session: {
    describe: "session of that user",
    flag: "-s, --session <name>",
    parse: validateSessionId,
    otherwise: DEFAULT_SESSION_ID,
  },
  model: {
    describe: "model that answers; demo is built in",
    flag: "-m, --model <name>",
    env: "AGNO_CHAT_MODEL",
    parse: text,
    otherwise: "gpt-5.4-mini with a key, the only model of a named server, otherwise demo",
  },
  baseUrl: {
    describe: "OpenAI-compatible server",
    flag: "--base-url <url>",
    env: "OPENAI_BASE_URL",
    parse: url,
    otherwise: "OpenAI",
  },
  apiKey: { describe: "key for that server", env: "OPENAI_API_KEY", parse: text, secret: true },
  apiKeyEnv: {
    describe: "environment variable that holds the key",
    flag: "--api-key-env <name>",
    parse: environmentName,
    mayBeKey: true,
  },
  store: {
    describe: "where conversations are kept: sqlite:PATH, postgres://… or memory:",
    flag: "--store <store>",
    env: "AGNO_CHAT_STORE",
    parse: text,
    otherwise: "sqlite: in the home folder",
  },
  lease: {
    describe: "run one message at a time per session over all servers; PostgreSQL only",
    flag: "--lease",
    env: "AGNO_CHAT_LEASE",
    parse: trueOrFalse,
    isSwitch: true,
    otherwise: "false",
  },
  system: {
    describe: "instructions for the model",
    flag: "--system <text>",
    parse: text,
  },
  tools: {
    describe: "toolkits, comma-separated: calculator, clock, notes",
    flag: "--tools <names>",
    parse: text,
    values: ["calculator", "clock", "notes"],
  },
  historyLimit: {
    describe: "most messages of history that the model is sent",
    flag: "--history <messages>",
    parse: wholeNumber,
    numeric: true,
    otherwise: "200",
  },
  historyTokens: {
    describe: "most tokens of history that the model is sent",
    flag: "--history-tokens <tokens>",
    parse: wholeNumber,
    numeric: true,
  },
  maxRequestsPerMinute: {
    describe: "messages a user may send in a minute",
    flag: "--max-requests-per-minute <count>",
    env: "AGNO_CHAT_MAX_REQUESTS_PER_MINUTE",
    parse: limitCount,
    numeric: true,
  },
  maxRunsAtOnce: {
    describe: "replies a user may wait for at once, in all sessions",
    flag: "--max-runs-at-once <count>",
    env: "AGNO_CHAT_MAX_RUNS_AT_ONCE",
    parse: limitCount,
    numeric: true,
  },
  maxTokensPerDay: {
    describe: "tokens a user may use in a UTC day",
    flag: "--max-tokens-per-day <count>",
    env: "AGNO_CHAT_MAX_TOKENS_PER_DAY",
    parse: limitCount,
    numeric: true,
  },
  maxBytesKept: {
    describe: "bytes of messages that are kept for a user",
    flag: "--max-bytes-kept <count>",
    env: "AGNO_CHAT_MAX_BYTES_KEPT",
    parse: limitCount,
    numeric: true,
  },
  prices: {
    describe: "JSON file with what models cost, for stats",
    flag: "--prices <file>",
    env: "AGNO_CHAT_PRICES",
    parse: text,
  },
  timeout: {
    describe: "seconds a reply may take",
    flag: "--timeout <seconds>",
    parse: seconds,
    numeric: true,
  },
} as const satisfies Record<string, Definition>;

export type SettingName = keyof typeof SETTINGS;

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

/** The parsed type of each setting; an id is a `UserId` or `SessionId`. */
export type Parsed = {
  [Name in SettingName]: ReturnType<(typeof SETTINGS)[Name]["parse"]>;
};

/** A setting without a value and a default is undefined. */
export interface SettingValues extends Readonly<Partial<Parsed>> {
  readonly user: UserId;
  readonly session: SessionId;
  readonly historyLimit: number;
  readonly lease: boolean;
}

/** The long name of a setting's flag, such as `--base-url`; undefined when it has no flag. */
export function longFlagOf(name: SettingName): string | undefined {
  const { flag }: Definition = SETTINGS[name];
  return flag === undefined ? undefined : /--[a-z-]+/.exec(flag)?.[0];
}
