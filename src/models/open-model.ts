import { AgnoChatError } from "../errors.js";
import { nearest } from "../nearest.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import { DemoModel } from "./demo.js";
import type { Model } from "./model.js";
import { OpenAIModel } from "./openai.js";

export interface OpenModelOptions {
  /** The URL of the server, up to and including `/v1`. Default: OpenAI's. */
  readonly baseUrl?: string | undefined;
  /** The key for that server. */
  readonly apiKey?: string | undefined;
  /** Milliseconds a built-in model waits before each word. Default: 0. */
  readonly delayMs?: number | undefined;
}

const KEYS: KnownKeys<OpenModelOptions> = { baseUrl: true, apiKey: true, delayMs: true };

interface ModelKind {
  /** Whether a name follows the kind, as in `openai:NAME`. */
  readonly isNamed: boolean;
  readonly open: (name: string, options: OpenModelOptions) => Model;
}

/** One row per kind of model. */
const KINDS: ReadonlyMap<string, ModelKind> = new Map<string, ModelKind>([
  ["demo", { isNamed: false, open: (_name, { delayMs }) => new DemoModel({ delayMs }) }],
  [
    "openai",
    {
      isNamed: true,
      open: (model, { baseUrl, apiKey }) => new OpenAIModel({ model, baseUrl, apiKey }),
    },
  ],
]);

/** True for a model that needs no server and no key. */
export const isBuiltIn = (spec: string): boolean => KINDS.get(spec)?.isNamed === false;

/**
 * Opens the model that `spec` names: `demo`, or `openai:NAME` on any server that speaks OpenAI's
 * API. Sends nothing yet.
 * @example
 * const model = await openModel("openai:qwen3", { baseUrl: "http://localhost:11434/v1" });
 * const agent = new Agent({ model });
 * const { content, usage } = await agent.run("Say hello.", { userId: "alice" });
 * @throws {AgnoChatError} `MODEL_NOT_CONFIGURED` for an unknown kind, `USAGE` for an unknown
 *   option, or what the model's constructor throws
 */
export async function openModel(spec: string, options: OpenModelOptions = {}): Promise<Model> {
  refuseUnknownKeys(options, KEYS, "openModel");
  const [kind = "", ...rest] = spec.split(":");
  const name = rest.join(":");
  const known = KINDS.get(kind);
  if (known === undefined || known.isNamed !== (name !== "")) throw unknown(spec, kind);
  return known.open(name, options);
}

function unknown(spec: string, kind: string): AgnoChatError {
  const forms = [...KINDS].map(([known, { isNamed }]) => (isNamed ? `${known}:NAME` : known));
  const near = nearest(kind, [...KINDS.keys()]);
  const meant = forms.find((form) => near !== undefined && form.startsWith(near));
  return new AgnoChatError("MODEL_NOT_CONFIGURED", `Unknown model ${JSON.stringify(spec)}.`, {
    hint: meant === undefined ? `Use ${forms.join(" or ")}.` : `Did you mean ${meant}?`,
  });
}
