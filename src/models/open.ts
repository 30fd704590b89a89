import { AgnoChatError } from "../errors.js";
import { nearest } from "../nearest.js";
import { type KnownKeys, refuseUnknownKeys } from "../options.js";
import type { Model } from "./model.js";

export interface OpenModelOptions {
  /** The server to ask, up to and including `/v1`. Default: OpenAI's. */
  readonly baseUrl?: string | undefined;
  /** The key of that server. */
  readonly apiKey?: string | undefined;
  /** How fast a model that is built in talks: milliseconds a word. Default: at once. */
  readonly delayMs?: number | undefined;
}

const KEYS: KnownKeys<OpenModelOptions> = { baseUrl: true, apiKey: true, delayMs: true };

interface Kind {
  /** Whether a name stands behind the kind, as in `openai:NAME`. */
  readonly isNamed: boolean;
  readonly open: (name: string, options: OpenModelOptions) => Promise<Model>;
}

/** One row for each kind of model; its file is loaded when it is opened. */
const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  [
    "demo",
    {
      isNamed: false,
      open: async (_name, { delayMs }) => new (await import("./demo.js")).DemoModel({ delayMs }),
    },
  ],
  [
    "openai",
    {
      isNamed: true,
      open: async (model, { baseUrl, apiKey }) =>
        new (await import("./openai.js")).OpenAIModel({ model, baseUrl, apiKey }),
    },
  ],
]);

/** The model that answers without a server or a key. */
export const isBuiltIn = (spec: string): boolean => KINDS.get(spec)?.isNamed === false;

/**
 * The model that `spec` names: `demo`, or `openai:NAME` on any server that speaks OpenAI's API. Nothing is sent yet.
 * @throws {AgnoChatError} `MODEL_NOT_CONFIGURED` for an unknown kind, or what the kind refuses its options with
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
