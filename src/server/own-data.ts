import type { Agent } from "../agent/agent.js";
import type { UserView } from "../agent/user-view.js";
import { historyPage } from "../data/history-page.js";
import { AgnoChatError } from "../errors.js";
import type { SessionId } from "../ids.js";
import { type Answer, json, NEVER_CACHED } from "./answer.js";
import type { RequestContext } from "./request-context.js";
import { resolveUser, sessionOf } from "./resolve-user.js";

/** Messages on a page of history: the default and the maximum of `limit`. */
const DEFAULT_PAGE = 100;
const LONGEST_PAGE = 1000;

/**
 * `GET /history`: `{ user_id, messages, more }`, the most recent messages, oldest first; `more` is
 * true if there are older ones. `before` gives the last messages before that id; `after` the first
 * messages after it, and `more` then means newer ones.
 */
export async function history(context: RequestContext, agent: Agent): Promise<Answer> {
  const { query, user, sessionId } = dataRequestOf(context, agent, ["limit", "before", "after"]);
  const limit = countIn(query, "limit") ?? DEFAULT_PAGE;
  if (limit > LONGEST_PAGE)
    throw new AgnoChatError("INVALID_INPUT", `limit must be at most ${LONGEST_PAGE}.`, {
      hint: "Page with before or after, or get everything from /export.",
    });
  const bounds = { before: countIn(query, "before"), after: countIn(query, "after") };
  const page = await historyPage((options) => user.history({ ...options, sessionId }), {
    limit,
    ...bounds,
  });
  return json({ user_id: user.userId, ...page });
}

/**
 * `GET /search`: `{ user_id, found, hits }`, the messages with all words of `q`, best first, as
 * `memory.search` returns them; at most `limit`, and only from the time `since` on.
 */
export async function search(context: RequestContext, agent: Agent): Promise<Answer> {
  const { query, user, sessionId } = dataRequestOf(context, agent, ["q", "limit", "since"]);
  const since = timeIn(query, "since");
  const options = { sessionId, since, limit: countIn(query, "limit") };
  return json({ user_id: user.userId, ...(await user.search(only(query, "q") ?? "", options)) });
}

/** `GET /size`: `{ user_id, messages, runs, bytes }`. */
export async function size(context: RequestContext, agent: Agent): Promise<Answer> {
  const { user, sessionId } = dataRequestOf(context, agent);
  const { messages, runs, bytes } = await user.counts({ sessionId });
  return json({ user_id: user.userId, messages, runs, bytes });
}

/**
 * `GET /export`: `{ user_id, messages, state }`, everything kept; `state` by session. The document
 * is produced while it is sent: if something fails or is deleted meanwhile, the connection is
 * closed and the document stays incomplete.
 */
export function exportAll(context: RequestContext, agent: Agent): Answer {
  const { user, sessionId } = dataRequestOf(context, agent);
  const { signal } = context.cancellation;
  const fields = { user_id: user.userId };
  return {
    headers: { "content-type": "application/json", ...NEVER_CACHED },
    pieces: user.export({ sessionId, fields, signal }),
  };
}

/**
 * `DELETE /history`: `{ user_id, deleted: { messages, sessions } }`. A run under way ends and
 * stores nothing.
 */
export async function clear(context: RequestContext, agent: Agent): Promise<Answer> {
  const { user, sessionId } = dataRequestOf(context, agent);
  const deleted = await user.clear({ sessionId });
  return json({ user_id: user.userId, deleted });
}

interface DataRequest {
  readonly query: URLSearchParams;
  readonly user: UserView;
  /** Undefined means all of the user's sessions. */
  readonly sessionId: SessionId | undefined;
}

/**
 * Reads user and session from the query.
 * @param also Further parameters that the query may contain.
 */
function dataRequestOf(
  context: RequestContext,
  agent: Agent,
  also: readonly string[] = [],
): DataRequest {
  const { query } = context;
  refuseUnknown(query, ["user_id", "session_id", ...also]);
  const user = agent.forUser(resolveUser(context, only(query, "user_id")));
  return { query, user, sessionId: sessionOf(only(query, "session_id")) };
}

/** A misspelt session_id would otherwise mean, and delete, all sessions. */
function refuseUnknown(query: URLSearchParams, known: readonly string[]): void {
  const unknown = [...query.keys()].find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const shown = JSON.stringify(unknown.slice(0, 40));
  throw new AgnoChatError("INVALID_INPUT", `Unknown parameter ${shown}.`, {
    hint: `Known parameters: ${known.join(", ")}.`,
  });
}

function only(query: URLSearchParams, name: string): string | undefined {
  const [value, ...others] = query.getAll(name);
  if (others.length === 0) return value;
  throw new AgnoChatError("INVALID_INPUT", `${name} is given more than once.`);
}

function countIn(query: URLSearchParams, name: string): number | undefined {
  const value = only(query, name);
  if (value === undefined) return undefined;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new AgnoChatError("INVALID_INPUT", `${name} must be a whole number, 0 or more.`);
}

function timeIn(query: URLSearchParams, name: string): number | undefined {
  const value = only(query, name);
  if (value === undefined) return undefined;
  const time = Date.parse(value);
  if (!Number.isNaN(time)) return time;
  throw new AgnoChatError("INVALID_INPUT", `${name} must be a time such as 2026-01-31T12:00:00Z.`);
}
