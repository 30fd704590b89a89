import type { Agent } from "../agent/agent.js";
import type { UserView } from "../agent/user-view.js";
import { historyPage } from "../data/history-page.js";
import { AgnoChatError } from "../errors.js";
import { sizeOf } from "../memory/size.js";
import type { Exchange } from "./exchange.js";
import { sendJson } from "./reply.js";
import { ReplyStream } from "./reply-stream.js";
import { sessionOf, userOf } from "./whose.js";

export interface OwnDataParts {
  readonly agent: Agent;
  /** Milliseconds to wait for a reader that takes nothing. */
  readonly patience: number;
}

/** Messages of a page, unless the query names a number, and the most it may name. */
const USUAL_PAGE = 100;
const LONGEST_PAGE = 1000;

/**
 * `GET /history`: `{ user_id, messages, more }`, the most recent messages, oldest first; `more` tells of older ones. With
 * `before` those in front of that id; with `after` the oldest behind it, and `more` of newer ones.
 */
export async function history(exchange: Exchange, { agent }: OwnDataParts): Promise<void> {
  const { query, user, sessionId } = askedOf(exchange, agent, ["limit", "before", "after"]);
  const limit = countIn(query, "limit") ?? USUAL_PAGE;
  if (limit > LONGEST_PAGE)
    throw new AgnoChatError("INVALID_INPUT", `limit must be at most ${LONGEST_PAGE}.`, {
      hint: "Page with before or after, or get everything from /export.",
    });
  const bounds = { before: countIn(query, "before"), after: countIn(query, "after") };
  const page = await historyPage((options) => user.history({ ...options, sessionId }), {
    limit,
    ...bounds,
  });
  sendJson(exchange.response, { user_id: user.userId, ...page });
}

/** `GET /size`: `{ user_id, messages, runs, bytes }`. */
export async function size(exchange: Exchange, { agent }: OwnDataParts): Promise<void> {
  const { user, sessionId } = askedOf(exchange, agent);
  const total = sizeOf(await user.sessions(), sessionId);
  sendJson(exchange.response, { user_id: user.userId, ...total });
}

/**
 * `GET /export`: `{ user_id, messages, state }`, all that is kept; `state` by session. It is made while it is sent: when
 * something fails, or is deleted, on the way, the connection is cut and the document never ends.
 */
export async function exportAll(
  exchange: Exchange,
  { agent, patience }: OwnDataParts,
): Promise<void> {
  const { request, signal } = exchange;
  const { user, sessionId } = askedOf(exchange, agent);
  const headers = { "content-type": "application/json" };
  const reply = new ReplyStream(exchange, { patience, headers });
  if (request.method !== "HEAD") {
    const fields = { user_id: user.userId };
    for await (const text of user.export({ sessionId, fields, signal })) await reply.write(text);
  }
  reply.end();
}

/** `DELETE /history`: `{ user_id, deleted: { messages, sessions } }`. A run under way ends and stores nothing. */
export async function clear(exchange: Exchange, { agent }: OwnDataParts): Promise<void> {
  const { user, sessionId } = askedOf(exchange, agent);
  const deleted = await user.clear({ sessionId });
  sendJson(exchange.response, { user_id: user.userId, deleted });
}

interface Asked {
  readonly query: URLSearchParams;
  readonly user: UserView;
  /** Undefined means all of the user's sessions. */
  readonly sessionId: string | undefined;
}

/**
 * Whose data it is about, by its query.
 * @param also What else the query may name.
 */
function askedOf(exchange: Exchange, agent: Agent, also: readonly string[] = []): Asked {
  const { query } = exchange;
  refuseUnknown(query, ["user_id", "session_id", ...also]);
  const user = agent.forUser(userOf(exchange, only(query, "user_id")));
  return { query, user, sessionId: sessionOf(only(query, "session_id")) };
}

/** A misspelt session_id would mean all sessions, and delete them. */
function refuseUnknown(query: URLSearchParams, known: readonly string[]): void {
  const unknown = [...query.keys()].find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const shown = JSON.stringify(unknown.slice(0, 40));
  throw new AgnoChatError("INVALID_INPUT", `There is no parameter ${shown}.`, {
    hint: `Known: ${known.join(", ")}.`,
  });
}

function only(query: URLSearchParams, name: string): string | undefined {
  const [value, ...others] = query.getAll(name);
  if (others.length === 0) return value;
  throw new AgnoChatError("INVALID_INPUT", `${name} is named more than once.`);
}

function countIn(query: URLSearchParams, name: string): number | undefined {
  const value = only(query, name);
  if (value === undefined) return undefined;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new AgnoChatError("INVALID_INPUT", `${name} must be a whole number from 0 up.`);
}
