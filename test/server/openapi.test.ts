import { Validator } from "@cfworker/json-schema";
import { beforeEach, expect, test } from "vitest";
import { InMemory } from "../../src/memory/in-memory.js";
import type { Tokens } from "../../src/memory/memory.js";
import { type RouteParts, routesOf } from "../../src/server/routes.js";
import { type Answer, ask, get, type Served, serve } from "./support.js";

interface Content {
  readonly schema: object;
  readonly example?: unknown;
}

interface Response {
  readonly content?: Readonly<Record<string, Content>>;
}

interface Operation {
  readonly operationId: string;
  readonly security?: readonly unknown[];
  readonly parameters?: readonly { in: string; name: string; example?: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> };
  readonly responses: Readonly<Record<string, Response>>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: object;
}

let served: Served;
let document: Document;

beforeEach(async () => {
  served = await serve();
  document = (await get(`${served.url}/openapi.json`)).json;
});

/** Each method of each path, such as `GET /size`. */
const operationsOf = ({ paths }: Document): [string, Operation][] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );

/** Sends what the description gives as an example. */
function send(name: string, { parameters = [], requestBody }: Operation): Promise<Answer> {
  const [method = "", path] = name.split(" ");
  const given = (place: string) =>
    parameters.flatMap(({ in: where, name, example }): [string, string][] =>
      where === place && example !== undefined ? [[name, example]] : [],
    );
  const query = new URLSearchParams(given("query"));
  return ask(`${served.url}${path}${query.size > 0 ? `?${query}` : ""}`, {
    method,
    headers: Object.fromEntries(given("header")),
    body: requestBody?.content["application/json"]?.example,
  });
}

/** What is wrong with an answer, by its description. */
function faultsOf({ status, json, headers }: Answer, { responses }: Operation): unknown[] {
  const { content } = responses[status] ?? responses.default ?? {};
  const schema = content?.[headers["content-type"] ?? ""]?.schema;
  if (schema === undefined) return [`${status} ${headers["content-type"]} is not described`];
  const { components } = document;
  return new Validator({ ...schema, components }, "2020-12", false).validate(json).errors;
}

test("every route of the server is described, and nothing else", () => {
  const routes = routesOf({} as RouteParts);
  const names = [...routes].flatMap(([path, { methods }]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  expect(document.openapi).toBe("3.1.0");
  expect(
    operationsOf(document)
      .map(([name]) => name)
      .sort(),
  ).toEqual(names.sort());
  const ids = operationsOf(document).map(([, { operationId }]) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

test("it says which routes need a token, if the server takes any", async () => {
  const memory = new InMemory();
  const { url } = await serve({ memory, tokens: memory.tokens as Tokens });
  const withTokens = (await get(`${url}/openapi.json`)).json;
  expect(withTokens.security).toEqual([{ token: [] }]);
  expect(withTokens.components.securitySchemes.token.scheme).toBe("bearer");
  const open = operationsOf(withTokens).filter(([, { security }]) => security?.length === 0);
  const routes = [...routesOf({} as RouteParts)].filter(([, route]) => route.open);
  expect(open.map(([name]) => name.split(" ")[1]).sort()).toEqual(
    routes.map(([path]) => path).sort(),
  );
  expect(document).not.toHaveProperty("security");
});

test("every example in it is answered as it describes", async () => {
  for (const [name, operation] of operationsOf(document)) {
    const answer = await send(name, operation);
    expect([name, answer.status, faultsOf(answer, operation)]).toEqual([name, 200, []]);
  }
});

test("what is refused is answered as it describes", async () => {
  for (const [name, operation] of operationsOf(document)) {
    if (operation.parameters === undefined && operation.requestBody === undefined) continue;
    const [method, path] = name.split(" ");
    const body = operation.requestBody === undefined ? undefined : "{";
    const answer = await ask(served.url + path, { method: method ?? "", body });
    expect([name, faultsOf(answer, operation)]).toEqual([name, []]);
    expect(answer.status, name).toBe(path === "/a2a" ? 200 : 400);
  }
});

test("a memory that does not answer is described", async () => {
  const described = new Map(operationsOf(document));
  await served.memory.close();
  for (const name of ["GET /readyz", "GET /size", "GET /export", "POST /chat", "POST /a2a"]) {
    const operation = described.get(name) as Operation;
    const answer = await send(name, operation);
    expect([name, faultsOf(answer, operation)]).toEqual([name, []]);
    expect(answer.status, name).toBe(name === "POST /a2a" ? 200 : 503);
  }
});

test("a method that it does not name is refused", async () => {
  for (const [path, methods] of Object.entries(document.paths))
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"])
      if (methods[method.toLowerCase()] === undefined)
        expect((await ask(served.url + path, { method })).status, method + path).toBe(405);
});

test("messages of every kind are as it describes", async () => {
  const { url, memory } = served;
  await memory.add(
    [
      { role: "system", content: "Be brief." },
      { role: "user", content: "What time is it?" },
      {
        role: "assistant",
        content: "",
        toolCalls: [{ id: "1", name: "current_time", arguments: "{}" }],
        model: "demo",
        usage: { inputTokens: 1, outputTokens: 2, estimated: true },
      },
      { role: "tool", content: "No clock.", toolCallId: "1", isError: true },
      { role: "assistant", content: "It is", finishReason: "length", historySent: 2 },
      { role: "user", content: "And?" },
      { role: "assistant", content: "Noo", interrupted: true },
    ],
    "alice",
    { state: { mood: "good" } },
  );
  const described = new Map(operationsOf(document));
  for (const path of ["/history", "/export"]) {
    const operation = described.get(`GET ${path}`) as Operation;
    const answer = await get(`${url}${path}?user_id=alice`);
    expect(answer.json.messages).toHaveLength(7);
    expect(faultsOf(answer, operation)).toEqual([]);
  }
});
