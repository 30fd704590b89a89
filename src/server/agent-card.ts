import type { AgentCard } from "@a2a-js/sdk";
import type { Agent } from "../agent/agent.js";
import { versionOf } from "./a2a-version.js";
import type { Exchange } from "./exchange.js";
import { sendJson } from "./reply.js";

/** Put in by the build, from package.json. */
declare const AGNO_CHAT_VERSION: string;

export interface CardParts {
  readonly agent: Agent;
  readonly publicUrl: string | undefined;
}

/**
 * `GET /.well-known/agent-card.json`: who the agent is and how to reach it, in the form of the A2A version asked for; a
 * client that names none speaks 0.3, and finds the 1.0 addresses in its card too.
 */
export function agentCard({ request, response }: Exchange, { agent, publicUrl }: CardParts): void {
  const base = publicUrl ?? `http://${request.headers.host ?? "localhost"}`;
  const card = cardOf(agent.name, `${base.replace(/\/$/, "")}/a2a`);
  const legacy = versionOf(request) !== "1.0";
  const headers = { "cache-control": "no-cache", vary: "A2A-Version, Host" };
  sendJson(response, legacy ? legacyCardOf(card) : card, { headers });
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
    description: `${name} talks with any number of users and remembers each one's own conversation.`,
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
        description: "Answers in the conversation that the contextId names.",
        tags: ["chat"],
        examples: ["What's my name?"],
        inputModes: ["text/plain"],
        outputModes: ["text/plain"],
        securityRequirements: [],
      },
    ],
  };
}

/** In 0.3 the first address stands on the card itself. */
function legacyCardOf({ securityRequirements: _, ...card }: AgentCard) {
  const [first] = card.supportedInterfaces;
  const skills = card.skills.map(({ securityRequirements: __, ...skill }) => skill);
  const address = { url: first?.url, preferredTransport: first?.protocolBinding };
  return { ...card, skills, ...address, protocolVersion: "0.3.0" };
}
