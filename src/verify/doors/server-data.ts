import type { SessionId, UserId } from "../../ids.js";
import { asList, asRecord, parseJson } from "../../json.js";
import type { SessionState } from "../../memory/memory.js";
import type { StoredMessage } from "../../messages.js";
import { PLANTED_WORD } from "../ledger.js";
import type { Clearer, Reader } from "./door.js";
import type { HttpAnswer } from "./http-client.js";
import { refuseOther, type ServerApi } from "./server-api.js";

/** Fewer than a history has, so that it is read in several pages. */
const PAGE = 40;

export const serverReaders = (api: ServerApi): readonly Reader[] => [
  {
    name: "GET /history",
    read: async ({ userId, sessionId }) => ({ messages: await pagesBack(api, userId, sessionId) }),
  },
  {
    name: "GET /history of all sessions",
    ofUser: true,
    read: async ({ userId }) => ({ allMessages: await pagesForward(api, userId) }),
  },
  {
    name: "GET /search",
    async read({ userId, sessionId }) {
      const query = { session_id: sessionId, q: PLANTED_WORD, limit: "1000" };
      return { found: JSON.stringify((await read(api, "/search", userId, query)).hits) };
    },
  },
  {
    name: "GET /size",
    async read({ userId, sessionId }) {
      const { messages } = await read(api, "/size", userId, { session_id: sessionId });
      return { count: Number(messages) };
    },
  },
  {
    name: "GET /export",
    async read({ userId, sessionId }) {
      const document = await read(api, "/export", userId, { session_id: sessionId });
      return { messages: messagesIn(document), state: stateIn(document, sessionId) };
    },
  },
  {
    name: "GET /export of all sessions",
    ofUser: true,
    async read({ userId, sessionId }) {
      const document = await read(api, "/export", userId);
      return { allMessages: messagesIn(document), state: stateIn(document, sessionId) };
    },
  },
];

export const serverClearers = (api: ServerApi): readonly Clearer[] => [
  {
    name: "DELETE /history",
    async clear(userId, sessionId) {
      const query = queryOf({ session_id: sessionId });
      return documentOf(
        await api.ask(userId, { method: "DELETE", path: "/history", query }),
        userId,
      );
    },
  },
];

type Document = Readonly<Record<string, unknown>>;
type Query = Readonly<Record<string, string | undefined>>;

/** The parameters that are given. */
const queryOf = (query: Query): [name: string, value: string][] =>
  Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));

async function read(
  api: ServerApi,
  path: string,
  userId: UserId,
  query: Query = {},
): Promise<Document> {
  return documentOf(await api.ask(userId, { method: "GET", path, query: queryOf(query) }), userId);
}

/** @throws {WrongAnswer} when it names somebody else */
function documentOf({ text }: HttpAnswer, userId: UserId): Document {
  const document = asRecord(parseJson(text));
  refuseOther(document.user_id, userId);
  return document;
}

const messagesIn = ({ messages }: Document): StoredMessage[] =>
  asList(messages) as unknown as StoredMessage[];

const stateIn = ({ state }: Document, sessionId: SessionId): SessionState =>
  asRecord(asRecord(state)[sessionId]) as SessionState;

/** The newest page first. */
async function pagesBack(
  api: ServerApi,
  userId: UserId,
  session_id: string,
): Promise<StoredMessage[]> {
  const all: StoredMessage[] = [];
  for (let more = true; more; ) {
    const query = { session_id, limit: String(PAGE), before: all[0] && String(all[0].id) };
    const page = await read(api, "/history", userId, query);
    all.unshift(...messagesIn(page));
    more = page.more === true;
  }
  return all;
}

/** The oldest page first. */
async function pagesForward(api: ServerApi, userId: UserId): Promise<StoredMessage[]> {
  const all: StoredMessage[] = [];
  for (let more = true; more; ) {
    const query = { limit: String(PAGE), after: String(all.at(-1)?.id ?? 0) };
    const page = await read(api, "/history", userId, query);
    all.push(...messagesIn(page));
    more = page.more === true;
  }
  return all;
}
