import { randomUUID } from "node:crypto";
import type { UserId } from "../../ids.js";
import { asRecord, isObject, parseJson } from "../../json.js";
import { PLANTED_WORD } from "../ledger.js";
import { type A2aVersion, a2aHeaders } from "./a2a-shape.js";
import type { Attack, Attempt, Forgery } from "./door.js";
import type { HttpCall } from "./http-client.js";
import { eventsOf, type MessageShape } from "./message-shape.js";
import { RESPONSES_SHAPES } from "./responses-shape.js";
import { HttpFailure, type ServerApi } from "./server-api.js";
import { A2A_SHAPES, A2A_VERSIONS, CHAT_SHAPES } from "./server-messages.js";

/** How a request of one user says that it means another. */
interface Disguise {
  readonly how: string;
  readonly refused?: boolean;
  readonly everyPair?: boolean;
  /** Without the token of the sender, whose place the named one takes. */
  readonly anonymous?: boolean;
  query?(by: UserId, of: UserId): readonly (readonly [name: string, value: string])[];
  headers?(of: UserId): Readonly<Record<string, string>>;
  body?(of: UserId, by: UserId): object;
}

/** Names of users that gateways and frameworks believe; latin-1, as headers are. */
const IDENTITY_HEADERS = [
  "x-user",
  "x-user-id",
  "x-forwarded-user",
  "x-authenticated-user",
  "remote-user",
  "user-id",
] as const;

function identityHeaders(of: UserId): Record<string, string> {
  const value = encodeURIComponent(of);
  const named = IDENTITY_HEADERS.map((name) => [name, value]);
  return { ...Object.fromEntries(named), cookie: `user_id=${value}; user=${value}` };
}

const BY_QUERY: Pick<Disguise, "query"> = { query: (_, of) => [["user_id", of]] };

const DATA_DISGUISES: readonly Disguise[] = [
  { how: "with another's session_id" },
  { how: "with another's user_id", refused: true, everyPair: true, ...BY_QUERY },
  {
    how: "with another's user_id after one's own",
    refused: true,
    query: (by, of) => [...new Set([by, of])].map((userId) => ["user_id", userId] as const),
  },
  { how: "with another's user_id in the body", body: (of) => ({ user_id: of }) },
  { how: "with another's name in the headers", headers: identityHeaders },
  { how: "without a token", refused: true, anonymous: true, ...BY_QUERY },
];

const CHAT_DISGUISES: readonly Disguise[] = [
  { how: "with another's session_id" },
  { how: "with another's user_id", refused: true, body: (of) => ({ user_id: of }) },
  { how: "with another's user_id in the query", ...BY_QUERY },
  { how: "with another's name in the headers", headers: identityHeaders },
  { how: "without a token", refused: true, anonymous: true, body: (of) => ({ user_id: of }) },
];

const responsesDisguises = (api: ServerApi): readonly Disguise[] => [
  { how: "with another's conversation" },
  { how: "with another's user", refused: true, body: (of) => ({ user: of }) },
  {
    how: "with another's safety_identifier",
    refused: true,
    body: (of) => ({ safety_identifier: of }),
  },
  {
    how: "after another's response",
    refused: true,
    body: (of, by) => (of === by ? {} : after(api, of)),
  },
  { how: "with another's user_id in the query", ...BY_QUERY },
  { how: "with another's name in the headers", headers: identityHeaders },
  { how: "with another's user_id in the metadata", body: (of) => ({ metadata: { user_id: of } }) },
  { how: "without a token", refused: true, anonymous: true, body: (of) => ({ user: of }) },
];

const after = (api: ServerApi, of: UserId): object => ({
  conversation: null,
  previous_response_id: api.responses.get(of) ?? "resp_none",
});

/** A user id is a valid context too, so the context names the other user as well. */
const a2aDisguises = (api: ServerApi): readonly Disguise[] => [
  { how: "with another's contextId" },
  { how: "with another's user_id in the query", ...BY_QUERY },
  { how: "with another's name in the headers", headers: identityHeaders },
  { how: "with another's user_id in the metadata", body: metadataOf },
  {
    how: "with another's taskId",
    refused: true,
    body: (of, by) => (of === by ? {} : { params: { message: { taskId: taskOf(api, of) } } }),
  },
  { how: "without a token", refused: true, anonymous: true },
];

function metadataOf(of: UserId): object {
  const metadata = { user_id: of, userId: of };
  return { user_id: of, params: { tenant: of, metadata, message: { metadata } } };
}

interface DataRoute extends Pick<Attack, "countsOnly" | "countsNothing" | "deletes"> {
  readonly method: string;
  readonly path: string;
  readonly query?: readonly (readonly [name: string, value: string])[];
}

const DATA_ROUTES: readonly DataRoute[] = [
  { method: "GET", path: "/history" },
  { method: "GET", path: "/search", query: [["q", PLANTED_WORD]], countsNothing: true },
  { method: "GET", path: "/size", countsOnly: true },
  { method: "GET", path: "/export" },
  { method: "DELETE", path: "/history", countsOnly: true, deletes: true },
];

/** Every way to ask our own server for another user's data. */
export const serverAttacks = (api: ServerApi): readonly Attack[] => [
  ...DATA_ROUTES.flatMap((route) => DATA_DISGUISES.map((how) => dataAttack(api, route, how))),
  ...A2A_VERSIONS.flatMap((version) =>
    TASK_METHODS[version].map((method) => taskAttack(api, version, method)),
  ),
];

/** Every way to send our own server a message in another user's name. */
export const serverForgeries = (api: ServerApi): readonly Forgery[] => [
  ...CHAT_SHAPES.flatMap((shape) => CHAT_DISGUISES.map((how) => forgery(api, shape, how))),
  ...RESPONSES_SHAPES.flatMap((shape) =>
    responsesDisguises(api).map((how) => forgery(api, shape, how)),
  ),
  ...A2A_SHAPES.flatMap((shape) => a2aDisguises(api).map((how) => forgery(api, shape, how))),
];

function dataAttack(api: ServerApi, route: DataRoute, disguise: Disguise): Attack {
  const { method, path, query = [], ...kind } = route;
  const { how, refused = false, everyPair = false } = disguise;
  return {
    ...{ name: `${method} ${path} ${how}`, refused, everyPair, ...kind },
    async attempt(by, { userId, sessionId }, signal) {
      const asked = [["session_id", sessionId], ...query] as const;
      const call = { method, path, query: asked, signal };
      const attempt = await tried(api, call, { disguise, by, of: userId });
      return { ...attempt, count: countIn(attempt.text) };
    },
  };
}

/** The methods that ask for tasks. */
const TASK_METHODS: Readonly<Record<A2aVersion, readonly string[]>> = {
  "1.0": ["GetTask", "CancelTask", "SubscribeToTask", "ListTasks"],
  "0.3": ["tasks/get", "tasks/cancel", "tasks/resubscribe"],
};

function taskAttack(api: ServerApi, version: A2aVersion, method: string): Attack {
  return {
    name: `POST /a2a ${version} ${method}`,
    showsNobody: true,
    attempt(by, { userId, sessionId }, signal) {
      const params = { id: taskOf(api, userId), contextId: sessionId };
      const body = { jsonrpc: "2.0", id: 1, method, params };
      const call = { method: "POST", path: "/a2a", headers: a2aHeaders(version), body, signal };
      return tried(api, call, { disguise: { how: "" }, by, of: userId });
    },
  };
}

const taskOf = (api: ServerApi, userId: UserId): string => api.tasks.get(userId) ?? randomUUID();

function forgery(api: ServerApi, shape: MessageShape, disguise: Disguise): Forgery {
  const { how, refused = false } = disguise;
  return {
    ...{ name: `${shape.name} ${how}`, refused },
    async send(message, of, signal) {
      const call = { ...shape.callOf(message), signal };
      const attempt = await tried(api, call, { disguise, by: message.userId, of });
      if (attempt.refused) return attempt;
      return { refused: false, text: await shape.replyIn(attempt.text, message) };
    },
  };
}

interface Asking {
  readonly disguise: Disguise;
  readonly by: UserId;
  readonly of: UserId;
}

/** Statuses of a request that is refused as it should be. */
const REFUSALS = [400, 401, 403, 404];

/** JSON-RPC's "internal error". */
const INTERNAL = -32603;

/** @throws {HttpFailure} when it is neither answered nor refused */
async function tried(api: ServerApi, call: HttpCall, asking: Asking): Promise<Attempt> {
  const isAnonymous = asking.disguise.anonymous === true && asking.by !== asking.of;
  try {
    const answer = await api.ask(isAnonymous ? undefined : asking.by, disguised(call, asking));
    if (call.path !== "/a2a") return { refused: false, text: answer.text };
    const [first] = await eventsOf(answer.text);
    const { error } = asRecord(first);
    if (asRecord(error).code === INTERNAL) throw new HttpFailure(answer);
    return { refused: error !== undefined, text: answer.text };
  } catch (thrown) {
    if (!(thrown instanceof HttpFailure) || !REFUSALS.includes(thrown.answer.status)) throw thrown;
    return { refused: true, text: thrown.answer.text };
  }
}

/** A request with everything in it that names the other. */
function disguised(call: HttpCall, { disguise, by, of }: Asking): HttpCall {
  const { query, headers, body } = disguise;
  return {
    ...call,
    query: [...(call.query ?? []), ...(query?.(by, of) ?? [])],
    headers: { ...call.headers, ...headers?.(of) },
    body: body === undefined ? call.body : merged(call.body, body(of, by)),
  };
}

/** Both objects in one, the objects in them as well. */
function merged(one: unknown, other: unknown): unknown {
  if (!isObject(one) || !isObject(other)) return other;
  const both = { ...one };
  for (const [key, value] of Object.entries(other)) both[key] = merged(one[key], value);
  return both;
}

/** How many messages an answer shows, counts or deleted. */
function countIn(text: string): number | undefined {
  const { messages, deleted } = asRecord(parseJson(text));
  const shown = messages ?? asRecord(deleted).messages;
  return Array.isArray(shown) ? shown.length : typeof shown === "number" ? shown : undefined;
}
