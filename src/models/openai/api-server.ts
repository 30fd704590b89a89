import { AgnoChatError } from "../../errors.js";
import type { KnownKeys } from "../../options.js";
import { singleLine } from "../../sanitise.js";
import { maskKey, maskSecrets } from "../../secrets.js";
import { isLoopback } from "./proxy.js";

const OPENAI_URL = "https://api.openai.com/v1";

const LONGEST_REASON = 300;

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * A reasoning model, or a local one with a long prompt, may be silent for minutes before it
 * answers.
 */
const IDLE_TIMEOUT_MS = 300_000;

/** How to reach a server that speaks OpenAI's API, and how long to wait for it. */
export interface ApiServerOptions {
  /** Required by OpenAI, optional for other servers: without one, none is sent. */
  readonly apiKey?: string | undefined;
  /** The URL up to and including `/v1`. Default: OpenAI's. */
  readonly baseUrl?: string | undefined;
  /** Milliseconds a connection may take to open. Default: 10,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Milliseconds the server may stay silent, at any point of a call. Default: 300,000. */
  readonly idleTimeoutMs?: number | undefined;
}

export const API_SERVER_KEYS: KnownKeys<ApiServerOptions> = {
  apiKey: true,
  baseUrl: true,
  connectTimeoutMs: true,
  idleTimeoutMs: true,
};

/** A server that speaks OpenAI's API: its validated URL, key and time limits. */
export class ApiServer {
  readonly baseUrl: URL;
  readonly apiKey: string | undefined;
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;

  /**
   * @throws {AgnoChatError} `CONFIG_INVALID` for an invalid base URL; `MODEL_AUTH` for an invalid
   *   key, or for OpenAI without a key
   */
  constructor(options: ApiServerOptions) {
    this.baseUrl = validateBaseUrl(options.baseUrl ?? OPENAI_URL);
    this.apiKey = validateKey(options.apiKey);
    this.connectTimeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    this.idleTimeoutMs = options.idleTimeoutMs ?? IDLE_TIMEOUT_MS;
    if (this.isOpenAI && this.apiKey === undefined)
      throw new AgnoChatError("MODEL_AUTH", `${this.host} needs an API key.`, {
        hint: "Pass one as apiKey, or name another server with baseUrl.",
        hintId: "give-openai-key",
      });
  }

  /** Includes the port if the URL has one, never its credentials. */
  get host(): string {
    return this.baseUrl.host;
  }

  get isOpenAI(): boolean {
    return this.baseUrl.hostname === new URL(OPENAI_URL).hostname;
  }

  get isLoopback(): boolean {
    return isLoopback(this.baseUrl);
  }

  /** Makes text from the server one short line without any key. */
  redact(text: string): string {
    const own = this.apiKey === undefined ? text : maskKey(text, this.apiKey);
    return singleLine(maskSecrets(own), LONGEST_REASON);
  }
}

function validateBaseUrl(text: string): URL {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.href === url.origin + url.pathname) return url;
  throw new AgnoChatError("CONFIG_INVALID", "The base URL is not a plain http or https URL.", {
    hint: "Give one like http://localhost:11434/v1, without a user name, a password or a query.",
  });
}

function validateKey(key: string | undefined): string | undefined {
  const trimmed = key?.trim();
  if (!trimmed) return undefined;
  if (/^[\x21-\x7e]+$/.test(trimmed)) return trimmed;
  throw new AgnoChatError("MODEL_AUTH", "The API key contains an invalid character.", {
    hint: "Copy the key again: a key is one word of plain ASCII characters.",
  });
}
