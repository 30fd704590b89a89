import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluate } from "../../src/tools/calculator/evaluate.js";
import { calculator } from "../../src/tools/calculator.js";
import { callTool, toolTable } from "../../src/tools/call-tool.js";
import { cpuTime } from "../support/cpu-time.js";
import { toolContext } from "../support/tool-context.js";
import { wildText } from "../support/wild-text.js";

describe("calculator", () => {
  it.each([
    ["2+2*3", "8"],
    ["(2 + 2) * 3", "12"],
    ["-2^2", "-4"],
    ["(-2)^2", "4"],
    ["--2**2", "4"],
    ["2^3^2", "512"],
    ["2*-3", "-6"],
    ["2^-1", "0.5"],
    ["10 % 4", "2"],
    ["0.1 + 0.2", "0.3"],
    ["-0", "0"],
    ["1,234,567 + 1", "1234568"],
    ["6 × 7 ÷ 2 − 1", "20"],
    ["sqrt (16) + max(1, 234)", "238"],
    ["round(2 * PI)", "6"],
    ["factorial(5)", "120"],
    ["cos(radians(180))", "-1"],
    ["log10(1000) + ln(e)", "4"],
    ["2^53", "about 9007199254740992"],
  ])("calculates %s = %s", async (expression, result) => {
    expect(await evaluate(expression)).toBe(result);
  });

  it.each([
    ["1/0", "divided by zero"],
    ["5 % 0", "divided by zero"],
    ["9**9**9**9", "not a finite number"],
    ["sqrt(-1)", "not a finite number"],
    ["factorial(1e9)", "from 0 to 170"],
    ["sqrt(1, 2)", "does not take 2 values"],
    ["min()", "does not take 0 values"],
    ["x = 5", 'cannot be read: Unexpected "=".'],
    ["foo(1)", "does not know foo"],
    ["constructor", "does not know constructor"],
    ["__proto__", "does not know __proto__"],
    ["sqrt.constructor('x')", "named function"],
    ["sqrt.constructor('x')()", "not complete"],
    ["this", "not complete"],
    ["'a' + 'b'", "is not a number"],
    ["1 2", "not complete"],
    ["", "not complete"],
    ["1 ? 2 : 3", "not complete"],
    ["~1", "does not know ~"],
    ["1".repeat(1_001), "longer than 1000"],
  ])("refuses %s", async (expression, reason) => {
    await expect(evaluate(expression)).rejects.toThrow(reason);
  });

  it("evaluates the deepest expression it accepts", async () => {
    expect(await evaluate(`${"(".repeat(499)}1${")".repeat(499)}`)).toBe("1");
    expect(await evaluate(`${"-".repeat(999)}1`)).toBe("-1");
    expect(await evaluate(`1${"+1".repeat(499)}`)).toBe("500");
  });

  it("agrees with JavaScript on sums", async () => {
    const operator = fc.constantFrom("+", "-", "*");
    const { expression } = fc.letrec<{ expression: string }>((tie) => ({
      expression: fc.oneof(
        { maxDepth: 4 },
        fc.integer({ min: 0, max: 99 }).map(String),
        fc.tuple(tie("expression"), operator, tie("expression")).map((parts) => parts.join(" ")),
        tie("expression").map((inner) => `(${inner})`),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(
        expression.filter((text) => text.length < 1_000),
        async (text) => {
          const expected = new Function(`return ${text}`)() as number;
          fc.pre(Number.isSafeInteger(expected) && Math.abs(expected) < 1e15);
          expect(await evaluate(text)).toBe(String(expected + 0));
        },
      ),
    );
  });

  it("answers any text at once, with a finite number or a reason", async () => {
    const table = toolTable([calculator()]);
    const context = toolContext();
    const operators = ". , ( ) [ ] { } + - * / % ** ^ ! ~ ? : =";
    const others = "0 1 9 e pi sqrt max factorial 1e308 ' \" \\ ` this";
    const token = fc.constantFrom(...operators.split(" "), ...others.split(" "));
    const text = fc.oneof(
      wildText(1_200),
      fc.array(token, { maxLength: 400 }).map((tokens) => tokens.join("")),
    );
    await fc.assert(
      fc.asyncProperty(text, async (expression) => {
        const begun = cpuTime();
        const call = { id: "1", name: "calculate", arguments: JSON.stringify({ expression }) };
        const { content, isError } = await callTool(table, call, context);
        expect(cpuTime() - begun).toBeLessThan(1_000);
        if (!isError) expect(content).toMatch(/^(about )?-?\d+(\.\d+)?(e[+-]\d+)?$/);
        expect(content).not.toContain("\n");
      }),
      { numRuns: 500 },
    );
  });
});
