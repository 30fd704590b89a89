import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { checkedTool, defineTool } from "../../src/tools/define-tool.js";

const definition = {
  name: "greet",
  description: "Greets.",
  parameters: { type: "object" },
  execute: () => "hi",
};

describe("defineTool", () => {
  it("gives the arguments the type of a zod schema, and the model its JSON Schema", () => {
    const tool = defineTool({
      ...definition,
      parameters: z.object({ name: z.string().describe("Whom"), times: z.number().default(1) }),
      execute(args, context) {
        expectTypeOf(args).toEqualTypeOf<{ name: string; times: number }>();
        expectTypeOf(context.userId).toBeString();
      },
    });
    expect(tool.parameters).toMatchObject({
      type: "object",
      properties: { name: { type: "string", description: "Whom" }, times: { type: "number" } },
      required: ["name"],
    });
  });

  it("keeps JSON Schema as is, with the type the caller states", () => {
    const parameters = { type: "object", properties: { city: { type: "string" } } };
    const tool = defineTool<{ city: string }>({
      ...definition,
      parameters,
      execute: (args) => expectTypeOf(args.city).toBeString(),
    });
    expect(tool.parameters).toBe(parameters);
    expect(tool.parse).toBeUndefined();
  });

  it("keeps the time-out, and `this` of the definition", async () => {
    class Greeter {
      readonly name = "greet";
      readonly description = "Greets.";
      readonly parameters = { type: "object" };
      readonly timeoutMs = 5;
      readonly #word = "hi";
      execute() {
        return this.#word;
      }
    }
    const tool = defineTool(new Greeter());
    expect(tool.timeoutMs).toBe(5);
    expect(tool.execute({}, {} as never)).toBe("hi");
  });

  it.each(["", "a b", "naïve", "x".repeat(65), "a.b"])("refuses the name %j", (name) => {
    expect(() => defineTool({ ...definition, name })).toThrow(
      expect.objectContaining({ code: "USAGE", message: expect.stringContaining("64 letters") }),
    );
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])(
    "refuses a time-out of %d ms",
    (timeoutMs) => {
      expect(() => defineTool({ ...definition, timeoutMs })).toThrow("timeoutMs");
    },
  );

  it("refuses parameters that do not describe an object", () => {
    expect(() => defineTool({ ...definition, parameters: { type: "string" } })).toThrow(
      "an object",
    );
    expect(() => defineTool({ ...definition, parameters: z.string() })).toThrow("an object");
  });

  it("refuses a schema that has no JSON Schema, and says what to use", () => {
    const dates = z.object({ on: z.date() });
    expect(() => defineTool({ ...definition, parameters: dates })).toThrow(
      expect.objectContaining({ code: "USAGE", hint: expect.stringContaining("no dates") }),
    );
    const validate = (value: unknown) => ({ value });
    const old = { "~standard": { version: 1 as const, vendor: "old", validate } };
    expect(() => defineTool({ ...definition, parameters: old })).toThrow(
      expect.objectContaining({ code: "USAGE", hint: expect.stringContaining("zod 4.2") }),
    );
  });

  it("refuses an invalid hand-made tool", () => {
    expect(() => checkedTool({ ...definition, description: undefined as never })).toThrow(
      "description",
    );
    expect(() => checkedTool({ ...definition, execute: undefined as never })).toThrow("execute");
  });
});
