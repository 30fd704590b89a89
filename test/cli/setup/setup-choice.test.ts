import { expect, test } from "vitest";
import { createContext } from "../../../src/cli/command-context.js";
import {
  changesOf,
  endpointOfChoice,
  keyOfEnvironment,
  type SetupChoice,
  variablesBefore,
} from "../../../src/cli/setup/setup-choice.js";
import { FakeProcess, temporaryFolder } from "../../support/cli.js";

const openAI: SetupChoice = {
  server: { name: "OpenAI", baseUrl: undefined, isLocal: false },
  key: "",
  model: "gpt-5.4-mini",
  names: [],
};
const nearby: SetupChoice = {
  ...openAI,
  server: { name: "Nearby", baseUrl: "http://127.0.0.1:11434/v1", isLocal: true },
};

function contextWith(env: Readonly<Record<string, string>>) {
  const io = new FakeProcess(["--version"], {
    env: { AGNO_CHAT_HOME: temporaryFolder(), ...env },
    input: "",
  });
  const options = { json: false, quiet: false, debug: false, color: true, yes: false, save: true };
  return createContext({ io, options, flags: {}, signal: new AbortController().signal });
}

test("changes every setting of the model, and clears those that were not chosen", () => {
  expect(changesOf(openAI)).toEqual({ model: "gpt-5.4-mini" });
  expect(Object.keys(changesOf(openAI)).sort()).toEqual([
    "apiKey",
    "apiKeyEnv",
    "baseUrl",
    "model",
  ]);
});

test("tries OpenAI with the environment's key only when none was typed", async () => {
  const context = await contextWith({ OPENAI_API_KEY: "sk-environment" });
  const tried = (key: string) => endpointOfChoice({ ...openAI, key }, context);
  expect(tried("")).toEqual({ baseUrl: undefined, apiKey: "sk-environment" });
  expect(tried("sk-typed")).toEqual({ baseUrl: undefined, apiKey: "sk-typed" });
  expect(tried("!pass openai").apiKey).toMatchObject({ command: "pass openai" });
});

test("never tries a server with a key for another one", async () => {
  const foreign = { OPENAI_API_KEY: "sk-environment", OPENAI_BASE_URL: "https://other.example/v1" };
  const context = await contextWith(foreign);
  expect(keyOfEnvironment(foreign)).toBeUndefined();
  expect(endpointOfChoice(openAI, context).apiKey).toBeUndefined();
  expect(endpointOfChoice(nearby, context)).toEqual({
    baseUrl: "http://127.0.0.1:11434/v1",
    apiKey: undefined,
  });
  const atHome = await contextWith({ OPENAI_API_KEY: "sk-environment" });
  expect(endpointOfChoice(nearby, atHome).apiKey).toBeUndefined();
});

test("names exactly the variables that override what is saved", async () => {
  const context = await contextWith({ OPENAI_API_KEY: "sk-environment" });
  expect(variablesBefore(openAI, context)).toEqual([]);
  expect(variablesBefore({ ...openAI, key: "sk-typed" }, context)).toEqual(["OPENAI_API_KEY"]);
  expect(variablesBefore({ ...nearby, key: "sk-typed" }, context)).toEqual([]);
  const named = await contextWith({ AGNO_CHAT_MODEL: "other" });
  expect(variablesBefore(nearby, named)).toEqual(["AGNO_CHAT_MODEL"]);
});
