import type { Agent } from "../agent/agent.js";
import type { UserView } from "../agent/user-view.js";
import { AgnoChatError } from "../errors.js";
import { sizeOf } from "../memory/size.js";
import type { Exchange } from "./exchange.js";
import { sendJson } from "./reply.js";
import { sessionOf, userOf } from "./whose.js";

interface Asked {
  readonly user: UserView;
  /** Undefined means all of the user's sessions. */
  readonly sessionId: string | undefined;
  readonly query: URLSearchParams;
}

/** Answers about one user's own data, the user and the session named in the query. */
type Answer = (asked: Asked) => Promise<object>;

export async function ownData(exchange: Exchange, agent: Agent, answer: Answer): Promise<void> {
  const { query, response } = exchange;
  refuseUnknown(query);
  const user = agent.forUser(userOf(exchange, only(query, "user_id")));
  const sessionId = sessionOf(only(query, "session_id"));
  const fields = await answer({ user, sessionId, query });
  sendJson(response, { user_id: user.userId, ...fields });
}

/** `GET /history`: `{ user_id, messages }`, oldest first; `limit` and `before` page through them from the end. */
export const history: Answer = async ({ user, sessionId, query }) => ({
  messages: await user.history({
    sessionId,
    limit: countOf(query, "limit"),
    before: countOf(query, "before"),
  }),
});

/** `GET /size`: `{ user_id, messages, runs, bytes }`. */
export const size: Answer = async ({ user, sessionId }) => sizeOf(await user.sessions(), sessionId);

/** `GET /export`: `{ user_id, messages, state }`, all that is kept; `state` by session. */
export const exportAll: Answer = ({ user, sessionId }) => user.export({ sessionId });

/** `DELETE /history`: `{ user_id, deleted: { messages, sessions } }`. A run under way ends and stores nothing. */
export const clear: Answer = async ({ user, sessionId }) => ({
  deleted: await user.clear({ sessionId }),
});

const NAMES = new Set(["user_id", "session_id", "limit", "before"]);

/** A misspelt session_id would mean all sessions, and delete them. */
function refuseUnknown(query: URLSearchParams): void {
  for (const name of query.keys())
    if (!NAMES.has(name))
      throw new AgnoChatError(
        "INVALID_INPUT",
        `There is no parameter ${JSON.stringify(name.slice(0, 40))}.`,
        {
          hint: `Known: ${[...NAMES].join(", ")}.`,
        },
      );
}

function only(query: URLSearchParams, name: string): string | undefined {
  const [value, ...others] = query.getAll(name);
  if (others.length === 0) return value;
  throw new AgnoChatError("INVALID_INPUT", `${name} is named more than once.`);
}

function countOf(query: URLSearchParams, name: string): number | undefined {
  const value = only(query, name);
  if (value === undefined) return undefined;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new AgnoChatError("INVALID_INPUT", `${name} must be a whole number from 0 up.`);
}
