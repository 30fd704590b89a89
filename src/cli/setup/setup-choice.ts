import type { Context } from "../command-context.js";
import type { Io } from "../io.js";
import { type Endpoint, endpointOf } from "../model-choice.js";
import { resolveSettings } from "../settings/settings.js";
import type { FileSettings } from "../settings/settings-file.js";
import { SETTINGS } from "../settings/settings-table.js";
import type { OfferedServer } from "./servers.js";

/** The answers so far. */
export interface SetupChoice {
  readonly server: OfferedServer;
  /** The key, or `!` and a command that prints it; "" for no key. */
  readonly key: string;
  readonly model: string | undefined;
  /** The models in the server's latest list. */
  readonly names: readonly string[];
}

/** The settings to save. Clears everything that belonged to an earlier server. */
export const changesOf = ({ server, key, model }: SetupChoice): FileSettings => ({
  baseUrl: server.baseUrl,
  apiKey: key === "" ? undefined : key,
  apiKeyEnv: undefined,
  model,
});

/** The key in the environment, if it is for OpenAI and not for another server. */
export const keyOfEnvironment = (env: Io["env"]): string | undefined =>
  env.OPENAI_BASE_URL ? undefined : env.OPENAI_API_KEY || undefined;

/** The endpoint that the saved settings will give, without the environment's own server. */
export function endpointOfChoice(choice: SetupChoice, { io: { env }, home }: Context): Endpoint {
  const trial = {
    ...env,
    OPENAI_BASE_URL: undefined,
    OPENAI_API_KEY: choice.key === "" ? keyOfEnvironment(env) : undefined,
  };
  const file = changesOf({ ...choice, model: undefined });
  return endpointOf(resolveSettings({ flags: {}, env: trial, file, home }), trial);
}

/** The environment variables that override what the choice saves. */
export function variablesBefore(choice: SetupChoice, { io: { env }, home }: Context): string[] {
  const { origins } = resolveSettings({ flags: {}, env, file: changesOf(choice), home });
  const names: ("baseUrl" | "model" | "apiKey")[] = ["baseUrl", "model"];
  if (choice.key !== "") names.push("apiKey");
  return names.filter((name) => origins[name] === "environment").map((name) => SETTINGS[name].env);
}
