import { AgnoChatError } from "../errors.js";
import type { Model } from "../models/model.js";
import { isBuiltIn, openModel } from "../models/open.js";
import type { Io } from "./io.js";
import { commandIn, type KeyCommand, keyFrom } from "./settings/key-command.js";
import type { Settings } from "./settings/settings.js";

const DEFAULT_OPENAI_MODEL = "gpt-5.4-mini";

/** Where a model is asked. Without a base URL it is OpenAI's own server. */
export interface Endpoint {
  readonly baseUrl: string | undefined;
  /** The key, or the command that prints it. */
  readonly apiKey: string | KeyCommand | undefined;
}

/** The model the settings mean, or how to find it. */
export type ModelChoice =
  | { readonly kind: "built-in"; readonly spec: string; readonly named: boolean }
  | { readonly kind: "openai"; readonly endpoint: Endpoint; readonly model: string | undefined };

/**
 * Which model the settings mean. The demo model answers only when it was named or nothing else was.
 * @throws {AgnoChatError} `MODEL_NOT_CONFIGURED`
 */
export function chooseModel(settings: Settings, env: Io["env"]): ModelChoice {
  const { model } = settings.values;
  if (model !== undefined && isBuiltIn(model))
    return { kind: "built-in", spec: model, named: true };
  const endpoint = endpointOf(settings, env);
  if (endpoint.baseUrl !== undefined) return { kind: "openai", endpoint, model };
  if (endpoint.apiKey !== undefined)
    return { kind: "openai", endpoint, model: model ?? DEFAULT_OPENAI_MODEL };
  if (model === undefined) return { kind: "built-in", spec: "demo", named: false };
  throw new AgnoChatError(
    "MODEL_NOT_CONFIGURED",
    `The model ${JSON.stringify(model)} needs a key or a server.`,
    {
      hint: "Set OPENAI_API_KEY, or name a server with --base-url, or use --model demo.",
    },
  );
}

/**
 * The server the settings mean, with the key that belongs to it.
 * @throws {AgnoChatError} `MODEL_NOT_CONFIGURED` for a variable that should hold the key and is not set
 */
export const endpointOf = (settings: Settings, env: Io["env"]): Endpoint => ({
  baseUrl: settings.values.baseUrl,
  apiKey: keyFor(settings, env),
});

/**
 * The key that belongs to the base URL in use: a key goes to the server it was named together with, or to OpenAI's own,
 * and never to the `--base-url` of the moment unless `--api-key-env` says so.
 */
function keyFor({ values, origins }: Settings, env: Io["env"]): Endpoint["apiKey"] {
  const { baseUrl, apiKey, apiKeyEnv } = values;
  const place = baseUrl === undefined || isOpenAI(baseUrl) ? undefined : origins.baseUrl;
  if (
    apiKeyEnv !== undefined &&
    (origins.apiKeyEnv === "flag" || belongs(origins.apiKeyEnv, place))
  )
    return keyIn(env, apiKeyEnv);
  if (apiKey === undefined || !belongs(origins.apiKey, place)) return undefined;
  // A variable is whatever the environment says; only the settings file is the user's own text.
  const command = origins.apiKey === "settings file" ? commandIn(apiKey) : undefined;
  return command === undefined ? apiKey : { command, env };
}

const isOpenAI = (url: string): boolean => new URL(url).origin === "https://api.openai.com";

const belongs = (keyOrigin: string, urlOrigin: string | undefined): boolean =>
  urlOrigin === undefined || keyOrigin === urlOrigin;

function keyIn(env: Io["env"], name: string): string {
  const key = env[name];
  if (key) return key;
  throw new AgnoChatError("MODEL_NOT_CONFIGURED", `The environment variable ${name} is not set.`, {
    hint: `It should hold the key: export ${name}=…`,
  });
}

/**
 * Where to send requests, and as whom. Runs the command that prints the key, if there is one.
 * @throws {AgnoChatError} `MODEL_NOT_CONFIGURED` when that command does not print one
 */
export async function openEndpoint(
  { baseUrl, apiKey }: Endpoint,
  signal: AbortSignal,
): Promise<OpenEndpoint> {
  return {
    baseUrl,
    apiKey: typeof apiKey === "object" ? await keyFrom(apiKey, { signal }) : apiKey,
  };
}

export interface OpenEndpoint {
  readonly baseUrl: string | undefined;
  readonly apiKey: string | undefined;
}

/**
 * The model itself; with a server but no model named, the only one the server has.
 * @throws {AgnoChatError} `MODEL_NOT_CONFIGURED` with the list when it has several
 */
export async function openChosenModel(
  choice: ModelChoice,
  { signal, delayMs = 0 }: OpenModelOptions,
): Promise<Model> {
  if (choice.kind === "built-in") return openModel(choice.spec, { delayMs });
  const endpoint = await openEndpoint(choice.endpoint, signal);
  return openModel(`openai:${choice.model ?? (await onlyModelAt(endpoint, signal))}`, endpoint);
}

export interface OpenModelOptions {
  readonly signal: AbortSignal;
  /** How fast a built-in model talks: milliseconds a word. Default: at once. */
  readonly delayMs?: number;
}

async function onlyModelAt(endpoint: OpenEndpoint, signal: AbortSignal): Promise<string> {
  const { listModels } = await import("../models/openai.js");
  const models = await listModels({ ...endpoint, signal });
  const [only, ...others] = models;
  if (only !== undefined && others.length === 0) return only;
  throw new AgnoChatError(
    "MODEL_NOT_CONFIGURED",
    "No model is named and the server does not have exactly one.",
    {
      hint:
        only === undefined
          ? "The server lists no model: load one, or name it with --model."
          : `Name one with --model: ${models.slice(0, 20).join(", ")}${models.length > 20 ? ", …" : ""}.`,
    },
  );
}
