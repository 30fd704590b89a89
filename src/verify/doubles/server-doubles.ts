import { createServer as createHttpServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setImmediate as turn } from "node:timers/promises";
import type { Agent } from "../../agent/agent.js";
import { asRecord, parseJson } from "../../json.js";
import { InMemory } from "../../memory/in-memory.js";
import { agentOver } from "../battery.js";
import { type Serve, serveOwn, serverDoors } from "../doors/server.js";
import type { Tokens } from "../doors/tokens.js";
import { attacks } from "../phases/attacks.js";
import { overlap } from "../phases/overlap.js";
import { sameWords } from "../phases/same-words.js";
import type { Stage } from "../stage.js";
import type { Double, Opened } from "./double.js";

/** A request on its way through a faulty proxy in front of the server. */
interface Passing {
  readonly socket: Socket;
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly signal: AbortSignal;
}

interface Passed {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

type Forward = (passing: Passing) => Promise<Passed>;

/** A faulty proxy in front of a server. */
export type Front = (passing: Passing, forward: Forward) => Promise<Passed>;

/** Puts a faulty proxy in front of our own server. */
export const behind =
  (makeFront: (tokens: Tokens) => Front): Serve =>
  async (agent, tokens) => {
    const inner = await serveOwn(agent, tokens);
    const front = makeFront(tokens);
    const outer = createHttpServer(async (incoming, response) => {
      const gone = new AbortController();
      response.once("close", () => gone.abort());
      const { socket, method = "", url: path = "", headers } = incoming;
      const passing = { socket, method, url: path, headers, signal: gone.signal };
      try {
        const passed = await front(
          { ...passing, body: await text(incoming) },
          forwardTo(inner.url),
        );
        response.writeHead(passed.status, { "content-type": passed.type }).end(passed.body);
      } catch {
        response.destroy();
      }
    });
    await new Promise<void>((resolve) => outer.listen(0, "127.0.0.1", resolve));
    return {
      url: `http://127.0.0.1:${(outer.address() as AddressInfo).port}`,
      async close() {
        outer.close();
        outer.closeAllConnections();
        await inner.close();
      },
    };
  };

const forwardTo =
  (base: string): Forward =>
  ({ method, url, headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const { "content-length": _, connection: __, ...others } = headers;
      const length = body === "" ? {} : { "content-length": Buffer.byteLength(body) };
      const options = { method, headers: { ...others, ...length }, signal };
      request(base + url, options, (answer) => {
        const type = answer.headers["content-type"] ?? "";
        const status = answer.statusCode ?? 0;
        text(answer).then((body) => resolve({ status, type, body }), reject);
      })
        .once("error", reject)
        .end(body);
    });

const double = (
  name: string,
  makeFront: (tokens: Tokens) => Front,
  phases: Opened["phases"],
): Double => ({
  name,
  open: () => ({
    open: agentOver(new InMemory()),
    openDoors: ({ agent }) => serverDoors(agent as Agent, behind(makeFront)),
    phases,
  }),
});

/** Only the attacks on the route where the leak shows. */
const on =
  (route: string) =>
  (stage: Stage): Promise<void> =>
    attacks(stage, route);

/** Sends the request as another user. */
const as = (passing: Passing, authorization: string | undefined): Passing => ({
  ...passing,
  headers: { ...passing.headers, authorization },
});

/** The user that a request names, in whichever part. */
function named({ url, body }: Passing): string | undefined {
  const { user_id } = asRecord(parseJson(body));
  const given = new URL(url, "http://localhost").searchParams.getAll("user_id").at(-1);
  return typeof user_id === "string" ? user_id : given;
}

/** Caches the answers of a method under a key that holds only a part of the request. */
const caching = (cached: string, keyOf: (passing: Passing) => string) => (): Front => {
  const cache = new Map<string, Passed>();
  return async (passing, forward) => {
    const key = keyOf(passing);
    const known = cache.get(key);
    if (known !== undefined) return known;
    const passed = await forward(passing);
    if (passing.method === cached && passed.status < 400) cache.set(key, passed);
    return passed;
  };
};

export const SERVER_DOUBLES: readonly Double[] = [
  double(
    "a server that caches replies by the body",
    caching("POST", ({ body }) => body),
    async (stage) => {
      // Some text of each user must be known before the same words can tell them apart.
      await overlap(stage, 2);
      await sameWords(stage);
    },
  ),
  double(
    "a server whose answers tell the one before, too",
    () => {
      let before = "";
      return async (passing, forward) => {
        const passed = await forward(passing);
        const told = { ...asRecord(parseJson(passed.body)), before };
        const isDocument = passed.type === "application/json";
        before = passed.body;
        return isDocument ? { ...passed, body: JSON.stringify(told) } : passed;
      };
    },
    (stage) => overlap(stage, 2),
  ),
  double(
    "a server that caches what was read by the URL",
    caching("GET", ({ url }) => url),
    on("GET /history"),
  ),
  double(
    "a server that remembers the caller of a connection",
    () => {
      const callers = new WeakMap<Socket, string | undefined>();
      return (passing, forward) => {
        const { socket, headers } = passing;
        if (!callers.has(socket)) callers.set(socket, headers.authorization);
        return forward(as(passing, callers.get(socket)));
      };
    },
    on("GET /export"),
  ),
  double(
    "a server that believes user_id more than the token",
    (tokens) => (passing, forward) => {
      const userId = named(passing);
      return forward(userId === undefined ? passing : as(passing, tokens.headerOf(userId)));
    },
    on("GET /export"),
  ),
  double(
    "a server whose current user is set before the run",
    () => {
      let current: string | undefined;
      return async (passing, forward) => {
        current = passing.headers.authorization;
        await turn();
        return forward(as(passing, current));
      };
    },
    on("GET /history"),
  ),
  double(
    "a DELETE that clears whoever came before",
    () => {
      let before: string | undefined;
      return (passing, forward) => {
        const { method, headers } = passing;
        const authorization = method === "DELETE" ? (before ?? headers.authorization) : undefined;
        if (method !== "DELETE") before = headers.authorization;
        return forward(authorization === undefined ? passing : as(passing, authorization));
      };
    },
    on("DELETE /history"),
  ),
  double(
    "a server that believes a header",
    (tokens) => (passing, forward) => {
      const userId = passing.headers["x-user-id"];
      const authorization = typeof userId === "string" ? tokens.headerOf(userId) : undefined;
      return forward(authorization === undefined ? passing : as(passing, authorization));
    },
    on("GET /size"),
  ),
  double(
    "a server that needs no token",
    (tokens) => (passing, forward) => {
      const userId = named(passing);
      const { authorization } = passing.headers;
      const isNamed = authorization === undefined && userId !== undefined;
      return forward(isNamed ? as(passing, tokens.headerOf(userId)) : passing);
    },
    on("GET /history"),
  ),
  double(
    "an A2A server that takes the context for the user",
    (tokens) => {
      const users = new Set<string>();
      return (passing, forward) => {
        const user = tokens.userOf(passing);
        if (user !== null) users.add(user.userId);
        const { params } = asRecord(parseJson(passing.body));
        const { contextId } = asRecord(asRecord(params).message);
        const isUser = typeof contextId === "string" && users.has(contextId);
        return forward(isUser ? as(passing, tokens.headerOf(contextId)) : passing);
      };
    },
    on("POST /a2a 1.0"),
  ),
];
