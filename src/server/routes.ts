import { answerA2a } from "./a2a.js";
import { agentCard } from "./agent-card.js";
import { type ChatParts, chat } from "./chat.js";
import { clear, exportAll, history, size } from "./own-data.js";
import { sendJson } from "./reply.js";
import type { RequestContext } from "./request-context.js";
import type { TrustedProxies } from "./trusted-proxies.js";

export interface Route {
  /** Needs no authentication, because it shows nobody's data. */
  readonly open?: boolean;
  readonly methods: Readonly<Record<string, (context: RequestContext) => Promise<void> | void>>;
}

export type Routes = ReadonlyMap<string, Route>;

export interface RouteParts extends ChatParts {
  readonly publicUrl: string | undefined;
  readonly proxies: TrustedProxies;
}

/** Every path and its handlers. */
export function routesOf(parts: RouteParts): Routes {
  const card = { ...parts, since: new Date() };
  return new Map<string, Route>([
    ["/chat", { methods: { POST: (context) => chat(context, parts) } }],
    [
      "/history",
      {
        methods: {
          GET: (context) => history(context, parts),
          DELETE: (context) => clear(context, parts),
        },
      },
    ],
    ["/size", { methods: { GET: (context) => size(context, parts) } }],
    ["/export", { methods: { GET: (context) => exportAll(context, parts) } }],
    ["/a2a", { methods: { POST: (context) => answerA2a(context, parts) } }],
    [
      "/.well-known/agent-card.json",
      { open: true, methods: { GET: (context) => agentCard(context, card) } },
    ],
    ["/healthz", { open: true, methods: { GET: alive } }],
    ["/readyz", { open: true, methods: { GET: (context) => ready(context, parts) } }],
  ]);
}

/** `GET /healthz`: the process is alive. */
const alive = ({ response }: RequestContext): void => sendJson(response, { status: "ok" });

/** `GET /readyz`: the memory answers too. */
async function ready({ response }: RequestContext, { agent }: ChatParts): Promise<void> {
  try {
    await agent.forUser("default").size();
    sendJson(response, { status: "ready" });
  } catch {
    sendJson(response, { status: "unavailable" }, { status: 503 });
  }
}
