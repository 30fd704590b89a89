import { AgnoChatError } from "../errors.js";
import type { Model } from "../models/model.js";
import { isBuiltIn, openModel } from "../models/open-model.js";
import type { Io } from "./io.js";
import type { Settings } from "./settings/settings.js";
import { commandIn, type KeyCommand } from "./settings/stored-key.js";

const DEFAULT_OPENAI_MODEL = "gpt-5.4-mini";

/** The server that runs the model. Without a base URL it is OpenAI. */
export interface Endpoint {
  readonly baseUrl: string | undefined;
  /** The key, or the command that prints it. */
  readonly apiKey: string | KeyCommand | undefined;
}

/** The model that the settings select. */
export type ModelChoice =
  | { readonly kind: "built-in"; readonly spec: string; readonly named: boolean }
  | { readonly kind: "openai"; readonly endpoint: Endpoint; readonly model: string | undefined };

/**
 * Selects the model from the settings. The demo model is used only when it was named, or when no
 * model, key or server was.
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
 * The server in the settings, with the key that belongs to it.
 * @throws {AgnoChatError} `MODEL_NOT_CONFIGURED` when `apiKeyEnv` names a variable that is not set
 */
export const endpointOf = (settings: Settings, env: Io["env"]): Endpoint => ({
  baseUrl: settings.values.baseUrl,
  apiKey: keyFor(settings, env),
});

/**
 * The key for the base URL in use. A key is sent to OpenAI, or to the server that was named in the
 * same place (environment or settings file). It is never sent to a `--base-url` given as a flag,
 * unless `--api-key-env` is given too.
 */
function keyFor({ values, origins }: Settings, env: Io["env"]): Endpoint["apiKey"] {
  const { baseUrl, apiKey, apiKeyEnv } = values;
  const urlOrigin = baseUrl === undefined || isOpenAI(baseUrl) ? undefined : origins.baseUrl;
  if (
    apiKeyEnv !== undefined &&
    (origins.apiKeyEnv === "flag" || belongs(origins.apiKeyEnv, urlOrigin))
  )
    return keyIn(env, apiKeyEnv);
  if (apiKey === undefined || !belongs(origins.apiKey, urlOrigin)) return undefined;
  // Only the settings file may name a command: the environment is not the user's own text.
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
    hint: `Set it to the key: export ${name}=…`,
  });
}

/**
 * The endpoint with its key. Runs the command that prints the key, if there is one.
 * @throws {AgnoChatError} `MODEL_NOT_CONFIGURED` when that command prints no key
 */
export async function resolveEndpoint(
  { baseUrl, apiKey }: Endpoint,
  signal: AbortSignal,
): Promise<ResolvedEndpoint> {
  if (typeof apiKey !== "object") return { baseUrl, apiKey };
  const { keyFrom } = await import("./settings/key-command.js");
  return { baseUrl, apiKey: await keyFrom(apiKey, { signal }) };
}

export interface ResolvedEndpoint {
  readonly baseUrl: string | undefined;
  readonly apiKey: string | undefined;
}

/**
 * Opens the chosen model. When only a server was named, it is the only model of that server.
 * @throws {AgnoChatError} `MODEL_NOT_CONFIGURED`, with the list, when the server has several models
 */
export async function openChosenModel(
  choice: ModelChoice,
  { signal, delayMs = 0 }: OpenModelOptions,
): Promise<Model> {
  if (choice.kind === "built-in") return openModel(choice.spec, { delayMs });
  const endpoint = await resolveEndpoint(choice.endpoint, signal);
  return openModel(`openai:${choice.model ?? (await onlyModelAt(endpoint, signal))}`, endpoint);
}

export interface OpenModelOptions {
  readonly signal: AbortSignal;
  /** Pace of a built-in model, in milliseconds per word. Default: 0. */
  readonly delayMs?: number;
}

async function onlyModelAt(endpoint: ResolvedEndpoint, signal: AbortSignal): Promise<string> {
  const { listModels } = await import("../models/openai.js");
  const models = await listModels({ ...endpoint, signal });
  const [only, ...others] = models;
  if (only !== undefined && others.length === 0) return only;
  throw new AgnoChatError(
    "MODEL_NOT_CONFIGURED",
    "No model is named, and the server does not offer exactly one.",
    {
      hint:
        only === undefined
          ? "The server lists no models. Load one, or name it with --model."
          : `Name one with --model: ${models.slice(0, 20).join(", ")}${models.length > 20 ? ", …" : ""}.`,
    },
  );
}
