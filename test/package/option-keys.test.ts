import { expect, it } from "vitest";
import * as library from "../../src/index.js";
import * as server from "../../src/server/index.js";
import * as testing from "../../src/testing/index.js";
import { temporaryFile } from "../support/memory-file.js";

const {
  Agent,
  DemoModel,
  defineTool,
  InMemory,
  listModels,
  OpenAIModel,
  openMemory,
  openModel,
  PostgresMemory,
  SqliteMemory,
  UserExport,
  userMessage,
} = library;
const { ScriptedModel } = testing;

const agent = () => new Agent({ model: new DemoModel() });
const alice = () => agent().forUser("alice");
const chatServer = () => server.createServer({ agent: agent() });
const memory = () => new InMemory();
const suite = { name: "any", open: () => undefined as never, describe: () => {}, it };
const app = { url: "http://127.0.0.1:1", users: [], rounds: 0, seed: 1 };
const signal = new AbortController().signal;

type Call = (misspelt: Readonly<Record<string, unknown>>) => unknown;

/**
 * Every export, and every method of an exported class, that takes options: one that exists, and a
 * call that is given a misspelt one beside what it needs.
 */
const TAKES_OPTIONS: Readonly<Record<string, readonly [option: string, call: Call]>> = {
  Agent: ["instructions", (more) => new Agent({ model: new DemoModel(), ...more })],
  "Agent limits": ["tokensPerDay", (limits) => new Agent({ model: new DemoModel(), limits })],
  "Agent.run": ["sessionId", (more) => agent().run("hi", { userId: "alice", ...more })],
  "Agent.stream": ["sessionId", (more) => agent().stream("hi", { userId: "a", ...more }).result],
  "Agent.forUser": ["instructions", (more) => agent().forUser("alice", more)],
  "Agent.detached": ["instructions", (more) => agent().detached("alice", [], more)],
  "Agent.context": ["sessionId", (more) => agent().context({ userId: "alice", ...more })],
  "Agent.removeInactive": ["force", (more) => agent().removeInactive(1, more)],
  "UserView.run": ["sessionId", (more) => alice().run("hi", more)],
  "UserView.stream": ["sessionId", (more) => alice().stream("hi", more).result],
  "UserView.context": ["sessionId", (more) => alice().context(more)],
  "UserView.history": ["sessionId", (more) => alice().history(more)],
  "UserView.size": ["sessionId", (more) => alice().size(more)],
  "UserView.sessions": ["limit", (more) => alice().sessions(more)],
  "UserView.counts": ["sessionId", (more) => alice().counts(more)],
  "UserView.search": ["sessionId", (more) => alice().search("hi", more)],
  "UserView.state": ["sessionId", (more) => alice().state(more)],
  "UserView.export": ["sessionId", (more) => alice().export(more)],
  "UserView.clear": ["sessionId", (more) => alice().clear(more)],
  "UserView.clearBefore": ["sessionId", (more) => alice().clearBefore({ before: 1, ...more })],
  "UserView.undo": ["sessionId", (more) => alice().undo(more)],
  "UserView.fork": ["sessionId", (more) => alice().fork({ to: "copy", ...more })],
  importHistory: ["dryRun", (more) => library.importHistory(memory(), "alice", [], more)],
  UserExport: ["sessionId", (more) => new UserExport(memory(), "alice", more)],
  InMemory: ["now", (more) => new InMemory(10, more)],
  SqliteMemory: ["notice", (more) => new SqliteMemory(temporaryFile(), more)],
  PostgresMemory: ["now", (more) => new PostgresMemory("postgres://a@localhost/chat", more)],
  openMemory: ["notice", (more) => openMemory("memory:", more)],
  StoreMemory: ["now", (more) => new library.StoreMemory({ atOnce: true } as never, more)],
  "StoreMemory.add": ["sessionId", (more) => memory().add(userMessage("hi"), "alice", more)],
  "StoreMemory.read": ["sessionId", (more) => memory().read("alice", more)],
  "StoreMemory.getMessages": ["sessionId", (more) => memory().getMessages("alice", more)],
  "StoreMemory.getState": ["sessionId", (more) => memory().getState("alice", more)],
  "StoreMemory.size": ["sessionId", (more) => memory().size("alice", more)],
  "StoreMemory.search": ["sessionId", (more) => memory().search("hi", "alice", more)],
  "StoreMemory.clear": ["sessionId", (more) => memory().clear("alice", more)],
  "StoreMemory.sessions": ["limit", (more) => memory().sessions("alice", more)],
  "StoreMemory.counts": ["sessionId", (more) => memory().counts("alice", more)],
  "StoreMemory.users": ["limit", (more) => memory().users(more)],
  "StoreMemory.removeInactive": ["force", (more) => memory().removeInactive(1, more)],
  DemoModel: ["delayMs", (more) => new DemoModel(more)],
  OpenAIModel: ["maxTokens", (more) => new OpenAIModel({ model: "m", apiKey: "k", ...more })],
  listModels: ["maxRetries", (more) => listModels({ signal, baseUrl: app.url, ...more })],
  openModel: ["delayMs", (more) => openModel("demo", more)],
  defineTool: [
    "timeoutMs",
    (more) =>
      defineTool({
        name: "now",
        description: "Tells the time.",
        parameters: { type: "object" },
        execute: () => "noon",
        ...more,
      }),
  ],
  createServer: ["allowAnonymous", (more) => server.createServer({ agent: agent(), ...more })],
  jwtAuthentication: [
    "issuer",
    (more) => server.jwtAuthentication({ issuer: "i", audience: "a", key: "k", ...more }),
  ],
  ChatServer: ["allowAnonymous", (more) => new server.ChatServer({ agent: agent(), ...more })],
  "ChatServer timeouts": ["reply", (timeouts) => server.createServer({ agent: agent(), timeouts })],
  "ChatServer.listen": ["host", (more) => chatServer().listen({ port: 0, ...more })],
  "ChatServer.close": ["now", (more) => chatServer().close(more)],
  ScriptedModel: ["delay", (more) => new ScriptedModel([], more)],
  memoryConformance: [
    "unsupported",
    (more) => testing.memoryConformance({ ...suite, ...more } as never),
  ],
  storeConformance: [
    "unsupported",
    (more) => testing.storeConformance({ ...suite, ...more } as never),
  ],
  modelConformance: ["describe", (more) => testing.modelConformance({ ...suite, ...more })],
  verifyIsolation: ["runs", (more) => testing.verifyIsolation({ memory: memory() }, more)],
  "verifyIsolation target": [
    "throwaway",
    (more) => testing.verifyIsolation({ memory: memory(), ...more }),
  ],
  "verifyIsolation agent": [
    "agent",
    (more) => testing.verifyIsolation({ agent: () => undefined as never, ...more }),
  ],
  "verifyIsolation model": [
    "model",
    (more) => testing.verifyIsolation({ model: new DemoModel(), ...more }),
  ],
  "verifyIsolation send": [
    "upstream",
    (more) => testing.verifyIsolation({ send: () => "Hello.", ...more }),
  ],
  verifyApp: ["headers", (more) => testing.verifyApp({ ...app, signal, ...more })],
  "verifyApp upstream": [
    "host",
    (more) =>
      testing.verifyApp({ ...app, signal, upstream: { host: "127.0.0.1", port: 0, ...more } }),
  ],
};

/** Why an export, or a method of an exported class, refuses no keys. */
const TAKES_NONE: Readonly<Record<string, string>> = {
  AgnoChatError: "an error that is being made must not fail",
  "AgnoChatError.with": "an error that is being made must not fail",
  "StoreMemory.clearAll": "nothing",
  "UserView.sessionsById": "nothing",
  "StoreMemory.sessionsById": "an id alone",
  "StoreMemory.close": "nothing",
  ClearLog: "what its toJSON returned",
  "ClearLog.generations": "nothing",
  "ClearLog.latest": "a text alone",
  "ClearLog.wasCleared": "each key is required",
  "ClearLog.record": "each key is required",
  "ClearLog.recordAll": "nothing",
  "ClearLog.toJSON": "nothing",
  "DemoModel.stream": "a request, and a signal that is required",
  "OpenAIModel.stream": "a request, and a signal that is required",
  "ScriptedModel.stream": "a request, and a signal that is required",
  "ScriptedModel.assertDone": "nothing",
  Query: "a text alone",
  "Query.matches": "a text alone",
  "Query.fitOf": "a text alone",
  refuseOver: "counts and limits, each by its name",
  systemMessage: "a text alone",
  userMessage: "a text alone",
  assistantMessage: "a text and tool calls",
  toolMessage: "texts and a flag",
  validateUserId: "an id alone",
  validateSessionId: "an id alone",
  openToolkits: "names alone",
  reportText: "a report, and functions that colour",
};

it.each(Object.entries(TAKES_OPTIONS))(
  "%s refuses a misspelt option",
  async (_, [option, call]) => {
    const misspelt = { [`${option.slice(0, -1)}x${option.slice(-1)}`]: undefined };
    await expect(async () => call(misspelt)).rejects.toMatchObject({
      code: "USAGE",
      hint: `Did you mean ${option}?`,
    });
  },
);

it("knows every export and every method of an exported class", () => {
  const known = [...Object.keys(TAKES_OPTIONS), ...Object.keys(TAKES_NONE)];
  const names = new Set(known.filter((name) => !name.includes(" ")));
  const callables = [library, server, testing]
    .flatMap((entry) => Object.entries({ ...entry } as Record<string, unknown>))
    .concat([["UserView", alice().constructor]])
    .flatMap(([name, value]) => namesIn(name, value));
  expect([...names].toSorted()).toEqual([...new Set(callables)].toSorted());
});

/** The export itself, and the methods that a class has of its own. */
function namesIn(name: string, value: unknown): string[] {
  if (typeof value !== "function") return [];
  const methods = Object.entries(Object.getOwnPropertyDescriptors(value.prototype ?? {}))
    .filter(([method, { value }]) => method !== "constructor" && typeof value === "function")
    .map(([method]) => `${name}.${method}`);
  return name === "UserView" ? methods : [name, ...methods];
}
