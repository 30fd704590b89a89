import type { Agent } from "../agent/agent.js";
import { answerA2a } from "./a2a.js";
import { agentCard } from "./agent-card.js";
import { type Answer, json } from "./answer.js";
import { chat } from "./chat.js";
import { completions } from "./openai/completions.js";
import { models } from "./openai/models.js";
import { conversations, responses } from "./openai/responses.js";
import { clear, exportAll, history, search, size } from "./own-data.js";
import type { RequestContext } from "./request-context.js";
import type { TrustedProxies } from "./trusted-proxies.js";

export interface Route {
  /** Needs no authentication, because it shows nobody's data. */
  readonly open?: boolean;
  readonly methods: Readonly<Record<string, Handler>>;
}

/** Answers a request; what it throws is answered as a failure. */
export type Handler = (context: RequestContext) => Promise<Answer> | Answer;

export type Routes = ReadonlyMap<string, Route>;

export interface RouteParts {
  readonly agent: Agent;
  readonly publicUrl: string | undefined;
  readonly proxies: TrustedProxies;
  /** Whether callers are let in by a token. */
  readonly takesTokens: boolean;
}

/** Every path and its handlers. */
export function routesOf(parts: RouteParts): Routes {
  const { agent } = parts;
  const since = new Date();
  const card = { ...parts, since };
  return new Map<string, Route>([
    ["/chat", { methods: { POST: (context) => chat(context, agent) } }],
    [
      "/history",
      {
        methods: {
          GET: (context) => history(context, agent),
          DELETE: (context) => clear(context, agent),
        },
      },
    ],
    ["/search", { methods: { GET: (context) => search(context, agent) } }],
    ["/size", { methods: { GET: (context) => size(context, agent) } }],
    ["/export", { methods: { GET: (context) => exportAll(context, agent) } }],
    ["/a2a", { methods: { POST: (context) => answerA2a(context, agent) } }],
    ["/v1/models", { methods: { GET: () => models(agent, since) } }],
    ["/v1/responses", { methods: { POST: (context) => responses(context, agent) } }],
    ["/v1/conversations", { methods: { POST: conversations } }],
    ["/v1/chat/completions", { methods: { POST: (context) => completions(context, agent) } }],
    [
      "/.well-known/agent-card.json",
      { open: true, methods: { GET: (context) => agentCard(context, card) } },
    ],
    ["/openapi.json", { open: true, methods: { GET: () => openapi(parts) } }],
    ["/healthz", { open: true, methods: { GET: alive } }],
    ["/readyz", { open: true, methods: { GET: () => ready(agent) } }],
  ]);
}

/** `GET /openapi.json`: every route, in the form of OpenAPI 3.1. */
async function openapi({ agent, takesTokens }: RouteParts): Promise<Answer> {
  const { documentOf } = await import("./openapi/document.js");
  return json(documentOf({ name: agent.name, takesTokens }));
}

/** `GET /healthz`: the process is alive. */
const alive = (): Answer => json({ status: "ok" });

/** `GET /readyz`: the memory answers too. */
async function ready(agent: Agent): Promise<Answer> {
  try {
    await agent.forUser("default").size();
    return json({ status: "ready" });
  } catch {
    return json({ status: "unavailable" }, { status: 503 });
  }
}
