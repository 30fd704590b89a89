import { hash, randomUUID } from "node:crypto";
import type { UserView } from "../../agent/user-view.js";
import { DEFAULT_SESSION_ID, type SessionId, storedSessionId } from "../../ids.js";

/** A run and whose it is. */
export interface KeptRun {
  readonly runId: string;
  readonly userId: string;
  readonly sessionId: string;
}

/** A conversation that nobody named, and its user, who has this one alone. */
const MADE = /^conv_([0-9a-f]{32})$/;

/** A new name for a conversation, which nobody can guess. */
export const makeConversationId = (): string => `conv_${hexOf(randomUUID())}`;

export const isMade = (conversation: string): boolean => MADE.test(conversation);

/** What a client names the conversation of a run by. */
export const conversationIdOf = ({ userId, sessionId }: Omit<KeptRun, "runId">): string =>
  isMade(userId) && sessionId === DEFAULT_SESSION_ID ? userId : sessionId;

/**
 * Names a run to the client that made it: the run, a digest of whose it is, and the user if nobody
 * named one. It tells nobody the user or the session, and means nothing to anybody else.
 */
export function responseIdOf(run: KeptRun): string {
  const [, made = ""] = MADE.exec(run.userId) ?? [];
  return `resp_${hexOf(run.runId)}${digestOf(run)}${made}`;
}

export interface ResponseName {
  readonly runId: string;
  readonly digest: string;
  /** The user that was made for it. */
  readonly madeUser: string | undefined;
}

/** What a client sent as the id of a response; undefined if it cannot be one. */
export function parseResponseId(id: string): ResponseName | undefined {
  const [, run, digest, made] = /^resp_([0-9a-f]{32})([0-9a-f]{16})([0-9a-f]{32})?$/.exec(id) ?? [];
  if (run === undefined || digest === undefined) return undefined;
  const madeUser = made === undefined ? undefined : `conv_${made}`;
  return { runId: uuidOf(run), digest, madeUser };
}

/** The session of a response among those of one user; undefined if it is in none of them. */
export async function sessionOfResponse(
  { runId, digest }: ResponseName,
  user: UserView,
): Promise<SessionId | undefined> {
  const { userId } = user;
  const isIn = (sessionId: string) => digestOf({ runId, userId, sessionId }) === digest;
  if (isIn(DEFAULT_SESSION_ID)) return DEFAULT_SESSION_ID;
  const latest = await user.sessions({ limit: LATEST });
  let found = latest.find(({ sessionId }) => isIn(sessionId));
  if (found === undefined && latest.length >= LATEST)
    for await (const page of user.sessionsById()) {
      found = page.find(({ sessionId }) => isIn(sessionId));
      if (found !== undefined) break;
    }
  return found && storedSessionId(found.sessionId);
}

/** Whoever goes on with a response has seldom begun so many other conversations since. */
const LATEST = 500;

/** Ids contain no NUL, so no two runs share one by how they are joined. */
const digestOf = ({ runId, userId, sessionId }: KeptRun): string =>
  hash("sha256", [runId, userId, sessionId].join("\0")).slice(0, 16);

const hexOf = (uuid: string): string => uuid.replaceAll("-", "");

const uuidOf = (hex: string): string => hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
