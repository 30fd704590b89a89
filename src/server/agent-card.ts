import { hash } from "node:crypto";
import type { AgentCard } from "@a2a-js/sdk";
import type { Agent } from "../agent/agent.js";
import { versionOf } from "./a2a-version.js";
import { type Answer, json } from "./answer.js";
import type { RequestContext, RequestHead } from "./request-context.js";
import type { TrustedProxies } from "./trusted-proxies.js";

/** Defined by the build from package.json. */
declare const AGNO_CHAT_VERSION: string;

export interface CardParts {
  readonly agent: Agent;
  readonly publicUrl: string | undefined;
  readonly proxies: TrustedProxies;
  /** When the card last changed. */
  readonly since: Date;
}

/** Seconds. A card changes only when its server restarts. */
const MAX_AGE = 300;

/**
 * `GET /.well-known/agent-card.json`: the agent and how to reach it, in the form of the requested
 * A2A version. A client that asks for none gets 0.3, with the 1.0 addresses in its card too.
 */
export function agentCard({ head, host }: RequestContext, parts: CardParts): Answer {
  const { agent, publicUrl, proxies, since } = parts;
  const base = publicUrl ?? `${proxies.protocolOf(head)}://${host || "localhost"}`;
  const card = cardOf(agent.name, `${base.replace(/\/$/, "")}/a2a`);
  const shown = versionOf(head) === "1.0" ? card : legacyCardOf(card);
  const headers = {
    "cache-control": `public, max-age=${MAX_AGE}`,
    etag: `"${hash("sha256", JSON.stringify(shown), "hex").slice(0, 32)}"`,
    "last-modified": since.toUTCString(),
    vary: "A2A-Version, Host, X-Forwarded-Proto",
  };
  if (isCurrent(head, headers.etag, since)) return { status: 304, headers };
  return json(shown, { headers });
}

/** Whether the client's copy is current (RFC 9110, section 13.2.2): an ETag wins over a date. */
function isCurrent({ headers }: RequestHead, etag: string, since: Date): boolean {
  const tags = headers["if-none-match"];
  if (tags !== undefined)
    return tags.split(",").some((tag) => ["*", etag].includes(tag.trim().replace(/^W\//, "")));
  const date = Date.parse(headers["if-modified-since"] ?? "");
  // HTTP dates have no milliseconds.
  return date >= Math.floor(since.getTime() / 1000) * 1000;
}

/** The card of an agent whose one A2A address is `url`. */
export function cardOf(name: string, url: string): AgentCard {
  const at = (protocolVersion: string) => ({
    url,
    protocolBinding: "JSONRPC",
    protocolVersion,
    tenant: "",
  });
  return {
    name,
    description: `${name} talks with any number of users and remembers each user's own conversation.`,
    version: AGNO_CHAT_VERSION,
    supportedInterfaces: [at("1.0"), at("0.3")],
    provider: undefined,
    capabilities: { streaming: true, pushNotifications: false, extensions: [] },
    securitySchemes: {},
    securityRequirements: [],
    signatures: [],
    defaultInputModes: ["text/plain"],
    defaultOutputModes: ["text/plain"],
    skills: [
      {
        id: "chat",
        name: "Chat",
        description: "Answers within the conversation named by the contextId.",
        tags: ["chat"],
        examples: ["What's my name?"],
        inputModes: ["text/plain"],
        outputModes: ["text/plain"],
        securityRequirements: [],
      },
    ],
  };
}

/** In a 0.3 card the first address is part of the card itself. */
function legacyCardOf({ securityRequirements: _, ...card }: AgentCard) {
  const [first] = card.supportedInterfaces;
  const skills = card.skills.map(({ securityRequirements: __, ...skill }) => skill);
  const address = { url: first?.url, preferredTransport: first?.protocolBinding };
  return { ...card, skills, ...address, protocolVersion: "0.3.0" };
}
