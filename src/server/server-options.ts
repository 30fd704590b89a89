import type { Agent } from "../agent/agent.js";
import { AgnoChatError } from "../errors.js";
import type { KnownKeys } from "../options.js";
import type { AccessOptions } from "./access.js";
import type { RequestRecord } from "./request-log.js";

export interface ServerOptions extends AccessOptions {
  readonly agent: Agent;
  /** The server's public URL, for the agent card. Default: the one a request was sent to. */
  readonly publicUrl?: string;
  /**
   * Addresses of proxies, or networks such as `10.0.0.0/8`. X-Forwarded-For and X-Forwarded-Proto
   * are trusted from these only. Default: none.
   */
  readonly trustedProxies?: readonly string[];
  /** Receives one line of JSON per finished request, without texts and ids. Default: no log. */
  readonly log?: (line: string) => void;
  /** Receives each finished request, with the user's id and address, for an audit or metrics. */
  readonly record?: (record: RequestRecord) => void;
  readonly timeouts?: Timeouts;
}

export const SERVER_KEYS: KnownKeys<ServerOptions> = {
  agent: true,
  authenticate: true,
  tokens: true,
  allowAnonymous: true,
  allowedHosts: true,
  publicUrl: true,
  trustedProxies: true,
  log: true,
  record: true,
  timeouts: true,
};

/** In milliseconds. */
export interface Timeouts {
  /** For a request's header to arrive. Default: 10 000. */
  readonly header?: number;
  /** For a request's body to arrive after the header. Default: 30 000. */
  readonly body?: number;
  /**
   * For the next request on a connection. Must be longer than that of a proxy in front.
   * Default: 65 000.
   */
  readonly keepAlive?: number;
  /** For a whole answer of the agent. Default: no limit. */
  readonly reply?: number;
  /** For a client to read some more of its answer. Default: 30 000. */
  readonly reader?: number;
  /** For current requests to end on their own once the server closes. Default: 10 000. */
  readonly drain?: number;
}

export const DEFAULT_TIMEOUTS: Required<Timeouts> = {
  header: 10_000,
  body: 30_000,
  keepAlive: 65_000,
  reply: Infinity,
  reader: 30_000,
  drain: 10_000,
};

export const TIMEOUT_KEYS: KnownKeys<Timeouts> = {
  header: true,
  body: true,
  keepAlive: true,
  reply: true,
  reader: true,
  drain: true,
};

/** @throws {AgnoChatError} `USAGE` for options that contradict each other */
export function refuseTwoGates({ authenticate, tokens, allowAnonymous }: ServerOptions): void {
  const gates = [
    authenticate && "authenticate",
    tokens && "tokens",
    allowAnonymous && "allowAnonymous",
  ];
  const [first, second] = gates.filter((gate) => typeof gate === "string");
  if (tokens !== undefined && second !== undefined)
    throw new AgnoChatError("USAGE", `${first} and ${second} do not go together.`, {
      hint: "Choose one way to let people in.",
    });
}

/**
 * The allowed hosts. An anonymous server also allows its public host.
 * @throws {AgnoChatError} `USAGE` for an invalid URL
 */
export function hostsOf({ publicUrl, allowAnonymous, allowedHosts = [] }: ServerOptions): string[] {
  if (publicUrl === undefined) return [...allowedHosts];
  const url = URL.canParse(publicUrl) ? new URL(publicUrl) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new AgnoChatError("USAGE", `The public URL ${JSON.stringify(publicUrl)} is not valid.`, {
      hint: "Use an http or https URL, such as https://chat.example.",
    });
  return allowAnonymous ? [...allowedHosts, url.hostname] : [...allowedHosts];
}
