import { AgnoChatError } from "../../errors.js";
import { singleLine } from "../../sanitise.js";
import { maskKey, maskSecrets } from "../../secrets.js";
import { isLoopback } from "./proxy.js";

const OPENAI_URL = "https://api.openai.com/v1";

const LONGEST_REASON = 300;

const CONNECT_TIMEOUT_MS = 10_000;

/** A reasoning model, or a local one with a long prompt, may be silent for minutes before its first word. */
const IDLE_TIMEOUT_MS = 300_000;

/** A server that speaks OpenAI's API, and how long to wait for it. */
export interface ServerOptions {
  /** Optional for servers other than OpenAI's: without one, none is sent. */
  readonly apiKey?: string | undefined;
  /** Up to and including `/v1`. Default: OpenAI's. */
  readonly baseUrl?: string | undefined;
  /** Milliseconds until a connection must stand. Default: 10,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Milliseconds that the server may be silent, before its first word or between two. Default: 300,000. */
  readonly idleTimeoutMs?: number | undefined;
}

/** Where requests go, as whom, and how long they may take. */
export class Server {
  readonly baseUrl: URL;
  readonly apiKey: string | undefined;
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;

  /**
   * @throws {AgnoChatError} `CONFIG_INVALID` for a base URL that is none, `MODEL_AUTH` for a key that cannot be one, or for none
   *   at all with OpenAI
   */
  constructor(options: ServerOptions) {
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

  /** With the port, when there is one. Never with the credentials of the URL. */
  get host(): string {
    return this.baseUrl.host;
  }

  get isOpenAI(): boolean {
    return this.baseUrl.hostname === new URL(OPENAI_URL).hostname;
  }

  get isLoopback(): boolean {
    return isLoopback(this.baseUrl);
  }

  /** What somebody else wrote as one short line that holds no key. */
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
  throw new AgnoChatError("MODEL_AUTH", "The API key holds a character that no key has.", {
    hint: "Copy the key again: it is one word of plain ASCII characters.",
  });
}
