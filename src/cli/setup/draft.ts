import type { Context } from "../context.js";
import type { Io } from "../io.js";
import { type Endpoint, endpointOf } from "../model-choice.js";
import { resolveSettings } from "../settings/settings.js";
import type { FileSettings } from "../settings/settings-file.js";
import { SETTINGS } from "../settings/table.js";
import type { OfferedServer } from "./servers.js";

/** What was chosen so far. */
export interface Draft {
  readonly server: OfferedServer;
  /** Or `!` and the command that prints it; "" for none. */
  readonly key: string;
  readonly model: string | undefined;
  /** The models the server listed last. */
  readonly names: readonly string[];
}

/** The whole of what the settings file shall say about the model: what an earlier server left behind goes. */
export const changesOf = ({ server, key, model }: Draft): FileSettings => ({
  baseUrl: server.baseUrl,
  apiKey: key === "" ? undefined : key,
  apiKeyEnv: undefined,
  model,
});

/** The key that serves OpenAI without being stored: the environment's, unless it belongs to another server. */
export const keyOfEnvironment = (env: Io["env"]): string | undefined =>
  env.OPENAI_BASE_URL ? undefined : env.OPENAI_API_KEY || undefined;

/** The endpoint as it will be found in the settings file, whatever else the environment says. */
export function endpointOfDraft(draft: Draft, { io: { env }, home }: Context): Endpoint {
  const trial = {
    ...env,
    OPENAI_BASE_URL: undefined,
    OPENAI_API_KEY: draft.key === "" ? keyOfEnvironment(env) : undefined,
  };
  const file = changesOf({ ...draft, model: undefined });
  return endpointOf(resolveSettings({ flags: {}, env: trial, file, home }), trial);
}

/** The variables that go before what the draft saves. */
export function variablesBefore(draft: Draft, { io: { env }, home }: Context): string[] {
  const { origins } = resolveSettings({ flags: {}, env, file: changesOf(draft), home });
  const names: ("baseUrl" | "model" | "apiKey")[] = ["baseUrl", "model"];
  if (draft.key !== "") names.push("apiKey");
  return names.filter((name) => origins[name] === "environment").map((name) => SETTINGS[name].env);
}
