import { expect, it } from "vitest";
import { openModel } from "../../src/models/open-model.js";

it.each([
  ["demo", "demo"],
  ["openai:gpt-5.4-mini", "gpt-5.4-mini"],
  ["openai:qwen3:8b", "qwen3:8b"],
])("opens %s as a model named %s", async (spec, name) => {
  expect((await openModel(spec, { apiKey: "sk-test-0123456789" })).name).toBe(name);
});

it.each([
  ["openia:gpt", "Did you mean openai:NAME?"],
  ["openai:", "Did you mean openai:NAME?"],
  ["openai", "Did you mean openai:NAME?"],
  ["demo:x", "Did you mean demo?"],
  ["gpt-5.4-mini", "Use demo or openai:NAME."],
  ["", "Use demo or openai:NAME."],
  ["__proto__", "Use demo or openai:NAME."],
])("refuses %j and says what is meant", async (spec, hint) => {
  await expect(openModel(spec)).rejects.toMatchObject({
    code: "MODEL_NOT_CONFIGURED",
    message: `Unknown model ${JSON.stringify(spec)}.`,
    hint,
  });
});

it("refuses an option that does not exist", async () => {
  await expect(openModel("demo", { baseURL: "http://x" } as never)).rejects.toMatchObject({
    code: "USAGE",
    hint: "Did you mean baseUrl?",
  });
});
