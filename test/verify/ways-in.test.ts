import { afterAll, expect, test } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { UserView } from "../../src/agent/user-view.js";
import { COMMANDS } from "../../src/cli/command-table.js";
import { InMemory } from "../../src/memory/in-memory.js";
import { json } from "../../src/server/answer.js";
import { type RouteParts, type Routes, routesOf } from "../../src/server/routes.js";
import type { Doors } from "../../src/verify/doors/door.js";
import { libraryDoors } from "../../src/verify/doors/library.js";
import { serverDoors } from "../../src/verify/doors/server.js";

/**
 * Every way to a user's data is one that `verify` drives, or stands here with the reason why not.
 * The names come from the code, so a new route, method or command fails until it is in a list.
 */
const NOT_DRIVEN: Readonly<Record<string, string>> = {
  "agent.forUser": "opens the view, whose methods are driven",
  "agent.detached": "reads no memory; test/agent/detached.test.ts shows it",
  "agent.removeInactive": "names no user, and calls the memory's",
  "view.userId": "reads nobody's data; test/agent/agent.test.ts shows that it cannot be assigned",
  "memory.add": "every run stores through it",
  "memory.clearAll": "names no user, and would empty a memory in use",
  "memory.close": "names no user",
  "memory.removeInactive": "names no user; driven on a throw-away memory by the phase `prune`",
  "memory.users": "names no user; everybody else is compared with it before and after",
  "GET /v1/models": "reads nobody's data",
  "POST /v1/conversations": "makes a name, and keeps nothing",
  "POST /v1/chat/completions":
    "reads and keeps nothing; test/server/openai/completions.test.ts shows it",
  "agno-chat repl": "`view.stream` in a terminal; test/isolation/terminal.test.ts drives it",
  "agno-chat ask": "`view.stream` in a process; test/isolation/processes.test.ts drives it",
  "agno-chat users": "lists everybody's counts for whoever may open the store",
  "agno-chat size": "prints what `view.counts` returns",
  "agno-chat search": "prints what `view.search` returns",
  "agno-chat export": "prints what `view.export` returns",
  "agno-chat import": "calls `importHistory`, which is driven",
  "agno-chat clear": "calls `view.clear`",
  "agno-chat backup": "copies every user as they are, for whoever may open the store",
  "agno-chat completion": "names users and sessions, for whoever may open the store",
  "agno-chat context": "prints what `view.context` returns",
  "agno-chat run":
    "the chat, with its lines from a file; test/cli/script/isolation.test.ts drives it",
  "agno-chat demo": "a script on a memory of its own",
  "agno-chat serve": "the server, which is driven in this process",
  "agno-chat prune": "names no user, and calls `memory.removeInactive`",
  "agno-chat token": "lets people in, for whoever may open the store; reads no history",
  "agno-chat limit": "sets what users may use, for whoever may open the store; reads no history",
  "agno-chat stats": "sums up what `memory.getMessages` returns",
  "agno-chat store": "makes and checks tables; `copy` moves every user as they are, and compares",
  "agno-chat verify": "the check itself",
  "agno-chat models": "reads nobody's data",
  "agno-chat config": "reads nobody's data",
};

const memory = new InMemory();
const agent = new Agent({ model: { name: "none", stream: () => nothing() }, memory });
const library = libraryDoors(agent, memory);
const server = await serverDoors(agent);
afterAll(() => server.close?.());

async function* nothing() {}

const namesOf = (lists: readonly (readonly { readonly name: string }[])[]): string[] =>
  lists.flat().map(({ name }) => name);

/** An editor is named after all that it calls. */
const usesOf = ({ doors, readers, clearers, editors = [] }: Doors): string[] => [
  ...namesOf([doors, readers, clearers]),
  ...namesOf([editors]).flatMap((name) => name.split(/, | and /)),
];

const attacksOf = ({ attacks, forgeries }: Doors): string[] => namesOf([attacks, forgeries]);

/** Those of the names that nothing in a list is named after. */
const missingIn = (names: readonly string[], list: readonly string[]): string[] =>
  names.filter(
    (name) =>
      NOT_DRIVEN[name] === undefined &&
      !list.some((one) => one === name || one.startsWith(`${name} `)),
  );

/** The routes that may show somebody's data. */
const closedRoutes = (routes: Routes): string[] =>
  [...routes].flatMap(([path, { open, methods }]) =>
    open ? [] : Object.keys(methods).map((method) => `${method} ${path}`),
  );

const routes = routesOf({ agent } as unknown as RouteParts);

/** The public methods of an object's class and of those it extends. */
function methodsOf(prototype: object | null): string[] {
  if (prototype === null || prototype === Object.prototype) return [];
  const own = Object.getOwnPropertyNames(prototype).filter((name) => name !== "constructor");
  return [...own, ...methodsOf(Object.getPrototypeOf(prototype))];
}

const methods = [
  ...methodsOf(Agent.prototype).map((name) => `agent.${name}`),
  ...methodsOf(UserView.prototype).map((name) => `view.${name}`),
  ...methodsOf(InMemory.prototype).map((name) => `memory.${name}`),
];

test("every route that may show somebody's data is used as its owner and attacked", () => {
  const closed = closedRoutes(routes);
  expect(closed).toContain("DELETE /history");
  expect(missingIn(closed, usesOf(server))).toEqual([]);
  expect(missingIn(closed, attacksOf(server))).toEqual([]);
});

test("a route that is new is missed, by its path and by its method", () => {
  const answer = () => json({});
  const planted = new Map([
    ...routes,
    ["/notes", { methods: { GET: answer } }],
    ["/size", { methods: { GET: answer, PUT: answer } }],
  ]);
  const missing = ["PUT /size", "GET /notes"];
  expect(missingIn(closedRoutes(planted), usesOf(server))).toEqual(missing);
  expect(missingIn(closedRoutes(planted), attacksOf(server))).toEqual(missing);
});

test("every method of the agent, its views and the memory is driven", () => {
  expect(methods).toEqual(expect.arrayContaining(["agent.run", "view.export", "memory.read"]));
  expect(missingIn(methods, usesOf(library))).toEqual([]);
});

test("a method that is new is missed", () => {
  class Wider extends InMemory {
    glance(userId: string): string {
      return userId;
    }
  }
  const names = methodsOf(Wider.prototype).map((name) => `memory.${name}`);
  expect(missingIn(names, usesOf(library))).toEqual(["memory.glance"]);
});

test("every command is driven, or it is said why not", () => {
  const commands = COMMANDS.map(({ name }) => `agno-chat ${name}`);
  expect(missingIn(commands, usesOf(library))).toEqual([]);
  expect(missingIn([...commands, "agno-chat glance"], [])).toEqual(["agno-chat glance"]);
});

test("nothing is excepted that is driven, or that is no longer there", () => {
  const commands = COMMANDS.map(({ name }) => `agno-chat ${name}`);
  const driven = [...usesOf(library), ...usesOf(server)];
  const excepted = Object.keys(NOT_DRIVEN);
  expect(
    excepted.filter((name) => ![...methods, ...commands, ...closedRoutes(routes)].includes(name)),
  ).toEqual([]);
  expect(excepted.filter((name) => driven.includes(name))).toEqual([]);
});
