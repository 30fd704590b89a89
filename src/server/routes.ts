import { answerA2a } from "./a2a.js";
import { agentCard } from "./agent-card.js";
import { type ChatParts, chat } from "./chat.js";
import type { Exchange } from "./exchange.js";
import { clear, exportAll, history, size } from "./own-data.js";
import { sendJson } from "./reply.js";
import type { TrustedProxies } from "./trusted-proxies.js";

export interface Route {
  /** For everybody, since it tells of nobody. */
  readonly open?: boolean;
  readonly methods: Readonly<Record<string, (exchange: Exchange) => Promise<void> | void>>;
}

export type Routes = ReadonlyMap<string, Route>;

export interface RouteParts extends ChatParts {
  readonly publicUrl: string | undefined;
  readonly proxies: TrustedProxies;
}

/** Every address and what answers there. */
export function routesOf(parts: RouteParts): Routes {
  const card = { ...parts, since: new Date() };
  return new Map<string, Route>([
    ["/chat", { methods: { POST: (exchange) => chat(exchange, parts) } }],
    [
      "/history",
      {
        methods: {
          GET: (exchange) => history(exchange, parts),
          DELETE: (exchange) => clear(exchange, parts),
        },
      },
    ],
    ["/size", { methods: { GET: (exchange) => size(exchange, parts) } }],
    ["/export", { methods: { GET: (exchange) => exportAll(exchange, parts) } }],
    ["/a2a", { methods: { POST: (exchange) => answerA2a(exchange, parts) } }],
    [
      "/.well-known/agent-card.json",
      { open: true, methods: { GET: (exchange) => agentCard(exchange, card) } },
    ],
    ["/healthz", { open: true, methods: { GET: alive } }],
    ["/readyz", { open: true, methods: { GET: (exchange) => ready(exchange, parts) } }],
  ]);
}

/** `GET /healthz`: the process answers. */
const alive = ({ response }: Exchange): void => sendJson(response, { status: "ok" });

/** `GET /readyz`: so does the memory. */
async function ready({ response }: Exchange, { agent }: ChatParts): Promise<void> {
  try {
    await agent.forUser("default").size();
    sendJson(response, { status: "ready" });
  } catch {
    sendJson(response, { status: "unavailable" }, { status: 503 });
  }
}
